"""A Singer tap, unmodified, copies a company under the provider's own host names: everything is there, and a second run brings what changed."""

import collections
import datetime
import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.parse

KIND = sys.argv[1]

if len(sys.argv) > 2:
    # in the tap's own process: the providers' names lead to the sandbox's TLS port
    look_up = socket.getaddrinfo

    def found(host, port, *rest, **options):
        if str(host).endswith((".intuit.com", ".xero.com")):
            return look_up("127.0.0.1", int(os.environ["SANDBOX_TLS_PORT"]), *rest, **options)
        return look_up(host, port, *rest, **options)

    socket.getaddrinfo = found
    # and the sandbox's authority is the one that is trusted, by those that look at the environment and by those that do not
    import certifi

    os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SANDBOX_CA"]
    certifi.where = lambda: os.environ["SANDBOX_CA"]
    sys.argv = ["tap"] + sys.argv[2:]
    tap = __import__(f"tap_{KIND}")
    sys.exit(tap.main())

from sandbox import REDIRECT, SECRET, URL, Suite, call, companies, consent, control

FOLDER = tempfile.mkdtemp()
TENANT = companies(KIND)[0]["id"]

# Stream and the name of its records in the sandbox's own list of everything.
STREAMS = {
    "quickbooks": {
        "accounts": "Account", "bill_payments": "BillPayment", "bills": "Bill", "credit_memos": "CreditMemo", "customers": "Customer",
        "deposits": "Deposit", "invoices": "Invoice", "items": "Item", "journal_entries": "JournalEntry", "payments": "Payment",
        "purchases": "Purchase", "refund_receipts": "RefundReceipt", "sales_receipts": "SalesReceipt", "transfers": "Transfer",
        "vendor_credits": "VendorCredit", "vendors": "Vendor",
    },
    "xero": {
        "accounts": "Account", "bank_transactions": "BankTransaction", "bank_transfers": "BankTransfer", "contacts": "Contact",
        "credit_notes": "CreditNote", "invoices": "Invoice", "manual_journals": "ManualJournal", "payments": "Payment",
        "tax_rates": "TaxRate",
    },
}[KIND]

# Streams of lists that are not in it, which hold something nevertheless.
OTHERS = {
    "quickbooks": {
        "budgets", "classes", "departments", "employees", "estimates", "payment_methods", "purchase_orders", "tax_agencies", "tax_codes",
        "tax_rates", "terms", "time_activities",
    },
    "xero": {
        "items", "journals", "quotes", "overpayments", "prepayments", "purchase_orders", "users", "branding_themes", "contact_groups", "currencies",
        "organisations", "repeating_invoices", "tracking_categories", "linked_transactions",
    },
}[KIND]

# Asks for a report in columns of days, month after month of three years: most of the time of a run, and the reading suites look at reports.
LEFT_OUT = {"profit_loss_report"}


def write(name, content):
    path = os.path.join(FOLDER, name)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file)
    return path


def sign_in():
    """The settings of the tap, with a refresh token of a person's consent."""
    redirect = urllib.parse.quote(REDIRECT, safe="")
    if KIND == "quickbooks":
        address, token, scope = "/connect/oauth2", "/oauth2/v1/tokens/bearer", "com.intuit.quickbooks.accounting"
    else:
        address, token = "/identity/connect/authorize", "/connect/token"
        scope = "openid offline_access accounting.settings.read accounting.contacts.read accounting.transactions.read accounting.journals.read"
    asked = f"{URL}{address}?client_id=tieout-{KIND}&response_type=code&redirect_uri={redirect}&scope={urllib.parse.quote(scope)}&state=s"
    form = {"grant_type": "authorization_code", "code": consent(asked)["code"], "redirect_uri": REDIRECT, "client_id": f"tieout-{KIND}", "client_secret": SECRET}
    _, _, text = call("POST", URL + token, urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
    settings = {"client_id": f"tieout-{KIND}", "client_secret": SECRET, "refresh_token": json.loads(text)["refresh_token"], "start_date": "2020-01-01T00:00:00Z"}
    settings |= {"user_agent": "test", "realm_id": TENANT, "sandbox": "true", "tenant_id": TENANT, "include_archived_contacts": "true"}
    return write("config.json", settings)


def run(*arguments):
    """What the tap writes; its log is shown when it fails."""
    finished = subprocess.run([sys.executable, __file__, KIND, *arguments], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, f"the tap ended with {finished.returncode}:\n{finished.stderr[-3000:]}"
    return finished.stdout


class Copy:
    """The messages of a run: the last version of every record, by stream and key, and the state to go on from."""

    def __init__(self, written):
        self.records = collections.defaultdict(dict)
        self.keys = {}
        self.state = {}
        self.count = 0
        for line in written.splitlines():
            message = json.loads(line)
            if message["type"] == "SCHEMA":
                self.keys[message["stream"]] = message["key_properties"]
            elif message["type"] == "RECORD":
                record = message["record"]
                self.count += 1
                self.records[message["stream"]][tuple(record[key] for key in self.keys[message["stream"]])] = record
            elif message["type"] == "STATE":
                self.state = message["value"]


def select_all(catalog):
    for stream in catalog["streams"]:
        chosen = stream["tap_stream_id"] not in LEFT_OUT
        stream["schema"]["selected"] = chosen
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = chosen
    return write("catalog.json", catalog)


def whole_copy(suite):
    config = sign_in()
    catalog = select_all(json.loads(run("--config", config, "--discover")))
    # the tap would ask for deletions since its start date, but the provider looks back 30 days at most
    since = (datetime.datetime.fromisoformat(control("GET", "clock")["now"][:19]) - datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S-00:00")
    begin = write("begin.json", {"bookmarks": {"deleted_objects": {"LastUpdatedTime": since}} if KIND == "quickbooks" else {}})
    first = Copy(run("--config", config, "--catalog", catalog, "--state", begin))
    suite.records += first.count
    suite.fields += sum(len(record) for records in first.records.values() for record in records.values())
    truth = collections.defaultdict(set)
    for record in control("GET", f"companies/{TENANT}/truth")["records"]:
        # what QuickBooks has deleted is in no list; Xero's deleted documents stay in theirs
        if record["state"] != "deleted":
            truth[record["type"]].add(record["id"])
    for stream, kind in STREAMS.items():
        found = {key[0] for key in first.records[stream]}
        missing, unknown = truth[kind] - found, found - truth[kind]
        suite.check(truth[kind] and not missing, f"{stream}: {len(missing)} of {len(truth[kind])} records are missing, {list(missing)[:3]}")
        suite.check(KIND == "xero" or not unknown, f"{stream}: {list(unknown)[:3]} are not in the books")
    suite.equal(sorted(OTHERS - set(first.records)), [], "streams without a record")
    print("copied: " + ", ".join(f"{stream} {len(records)}" for stream, records in sorted(first.records.items())))
    print("empty: " + ", ".join(sorted(set(first.keys) - set(first.records))))

    # a change, and the run after it
    control("POST", "clock", {"advance_secs": 5})
    documents = control("GET", f"companies/{TENANT}/documents?kind=invoice&limit=50")["documents"]
    changed = next(document for document in documents if document["status"] == "active")
    control("POST", f"companies/{TENANT}/documents/{changed['id']}/edit", {"memo": "touched"})
    bills = control("GET", f"companies/{TENANT}/documents?kind=bill")["documents"]
    gone = next(bill for bill in bills if bill["status"] == "active" and bill["amount_due"] == bill["total"])
    control("POST", f"companies/{TENANT}/documents/{gone['id']}/{'delete' if KIND == 'quickbooks' else 'void'}", {})
    second = Copy(run("--config", config, "--catalog", catalog, "--state", write("state.json", first.state)))
    suite.records += second.count
    of_gone = gone.get("shown_id") or str(gone["id"])
    if KIND == "quickbooks":
        suite.check((of_gone, "Bill") in second.records["deleted_objects"], f"the deletion is told: {list(second.records['deleted_objects'])}")
    else:
        suite.equal(second.records["invoices"].pop((of_gone,), {}).get("Status"), "VOIDED", "the bill that was voided")
    touched = [key for key, record in second.records["invoices"].items() if record != first.records["invoices"].get(key)]
    suite.equal(len(touched), 1, "the second run brings the invoice that changed")
    shown = changed.get("shown_id") or str(changed["id"])
    suite.equal(touched[0][0] if touched else None, shown, "and no other that is different")
    suite.check(second.count < first.count / 4, f"the second run brings little: {second.count} of {first.count}")


Suite().run(whole_copy)
