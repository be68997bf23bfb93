"""python-quickbooks reads every entity, by every way it has, and loses nothing: lists, pages, single reads, filters, counts, changes, reports."""

import datetime
import decimal
import inspect
import json
import os
import warnings

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

import quickbooks.objects
import quickbooks.objects.companycurrency
import quickbooks.objects.creditcardpayment_entity
import quickbooks.objects.customertype
import quickbooks.objects.exchangerate
import quickbooks.objects.recurringtransaction
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from quickbooks import QuickBooks, exceptions
from quickbooks.cdc import change_data_capture
from quickbooks.mixins import ListMixin, PrefMixin, ReadMixin

from sandbox import REDIRECT, SECRET, URL, Suite, companies, consent, control

warnings.simplefilter("ignore", DeprecationWarning)

QuickBooks.api_url_v3 = URL + "/v3"

# What the library itself does not keep, by the end of the path, with the reason.
DROPPED = ()

MODULES = [
    quickbooks.objects,
    quickbooks.objects.companycurrency,
    quickbooks.objects.creditcardpayment_entity,
    quickbooks.objects.customertype,
    quickbooks.objects.exchangerate,
    quickbooks.objects.recurringtransaction,
]

# Entities that the books of the sandbox surely hold; the others may be empty.
HELD = {
    "Account", "Attachable", "Bill", "BillPayment", "Budget", "Class", "CompanyInfo", "CreditMemo", "Customer", "Department", "Deposit", "Employee",
    "Estimate", "Invoice", "Item", "JournalEntry", "Payment", "PaymentMethod", "Purchase", "PurchaseOrder", "RecurringTransaction", "RefundReceipt",
    "SalesReceipt", "TaxAgency", "TaxCode", "TaxRate", "Term", "TimeActivity", "Transfer", "Vendor", "VendorCredit",
}

NAME_LISTS = {"Account", "Customer", "Vendor", "Item", "Employee", "Class", "Department", "Term", "PaymentMethod", "TaxCode", "TaxRate"}

# Every name that the libraries know or the provider's reference lists; the first four prove a copy and are always there.
REPORTS = """TrialBalance ProfitAndLoss BalanceSheet GeneralLedger ProfitAndLossDetail CashFlow JournalReport AccountList TransactionList
TransactionListByCustomer TransactionListByVendor TransactionListWithSplits AgedReceivables AgedReceivableDetail AgedPayables AgedPayableDetail
CustomerBalance CustomerBalanceDetail VendorBalance VendorBalanceDetail CustomerIncome CustomerSales VendorExpenses ItemSales ClassSales
DepartmentSales InventoryValuationSummary TaxSummary""".split()

# Not offered by CDC.
WITHOUT_CDC = {"TimeActivity", "TaxAgency", "TaxCode", "TaxRate", "CompanyInfo", "CompanyCurrency", "ExchangeRate", "Attachable"}
WITHOUT_CDC |= {"RecurringTransaction", "CreditCardPayment"}

# The library lists them, the provider's reference knows them, the sandbox has none: a query for them is refused.
NOT_OFFERED = {"CustomerType"}


def entities():
    """Every class of the library that can be listed, by the provider's name."""
    found = {}
    for module in MODULES:
        for _, member in inspect.getmembers(module, inspect.isclass):
            name = getattr(member, "qbo_object_name", "")
            if issubclass(member, ListMixin) and name and name not in NOT_OFFERED:
                found[name] = member
    return found


ENTITIES = entities()


class Recorder:
    """The client, and the text of its last answer."""

    def __init__(self, company=None, **options):
        auth = AuthClient("tieout-quickbooks", SECRET, REDIRECT, URL + "/.well-known/openid_configuration")
        back = consent(auth.get_authorization_url([Scopes.ACCOUNTING]), company=company)
        auth.get_bearer_token(back["code"], realm_id=back["realmId"])
        self.client = QuickBooks(auth_client=auth, refresh_token=auth.refresh_token, company_id=back["realmId"], minorversion=75, **options)
        self.auth = auth
        self.last = None
        self.client.session.hooks["response"].append(self.note)

    def note(self, answer, *_, **__):
        self.last = answer

    def sent(self):
        return json.loads(self.last.text)


HOME = Recorder()
QB = HOME.client


def rows_sent(name):
    held = HOME.sent()["QueryResponse"]
    key = getattr(ENTITIES[name], "qbo_json_object_name", "") or name
    return held.get(key, [])


def every_page(name, size, where=""):
    """All objects of an entity by pages, each compared with what was sent."""
    start = 1
    while True:
        page = ENTITIES[name].where(where, order_by="Id", start_position=start, max_results=size, qb=QB)
        yield from zip(rows_sent(name), page)
        if len(page) < size:
            return
        start += size


def lists(suite):
    held = {}
    for name, kind in sorted(ENTITIES.items()):
        where = "Active IN (True, False)" if name in NAME_LISTS else ""
        seen = set()
        for sent, kept in every_page(name, 250, where):
            suite.records += 1
            suite.faithful(sent, json.loads(kept.to_json()), name, DROPPED)
            suite.faithful(sent, kept.to_dict(), name, DROPPED)
            seen.add(sent.get("Id", json.dumps(sent)))
        held[name] = seen
        if name not in ("CompanyInfo",):
            suite.equal(kind.count(where, qb=QB) or 0, len(seen), f"{name}: the count is that of the pages")
    empty = {name for name in HELD if not held.get(name)}
    suite.check(not empty, f"the books hold no {', '.join(sorted(empty))}")
    print("held by the sandbox: " + ", ".join(f"{name} {len(ids)}" for name, ids in held.items() if ids))
    print("empty: " + ", ".join(name for name, ids in held.items() if not ids))


def all_of_them(suite):
    """`all()` as the library writes it, `SELECT *, Sku FROM Item` among them."""
    for name, kind in sorted(ENTITIES.items()):
        if name == "CompanyInfo":
            continue
        objects = kind.all(max_results=1000, qb=QB)
        sent = rows_sent(name)
        suite.equal(len(objects), len(sent), f"{name}.all()")
        for before, after in zip(sent[:50], objects):
            suite.faithful(before, after.to_dict(), f"{name}.all", DROPPED)


def single_reads(suite):
    # the address of a file tells when it ends: two readings of one record are the same only at one moment
    now = control("GET", "clock")["now"]
    control("POST", "clock", {"freeze": now})
    for name, kind in sorted(ENTITIES.items()):
        if not issubclass(kind, ReadMixin) or name == "ExchangeRate":
            continue
        objects = kind.all(max_results=400, qb=QB)
        listed = {row["Id"]: row for row in rows_sent(name) if "Id" in row}
        for identity in list(listed)[:4] + list(listed)[-4:]:
            read = kind.get(identity, qb=QB)
            suite.records += 1
            key = getattr(kind, "qbo_json_object_name", "") or name
            envelope = HOME.sent()
            suite.equal(set(envelope), {key, "time"}, f"{name}: the envelope of a single read")
            suite.faithful(envelope[key], read.to_dict(), f"{name} read", DROPPED)
            suite.faithful(listed[identity], envelope[key], f"{name} in a list and read alone")
        suite.check(len(objects) == len(listed) or name in ("RecurringTransaction",), f"every {name} has an Id")
    control("POST", "clock", {"run_from": now})
    info = quickbooks.objects.CompanyInfo.get(QB.company_id, qb=QB)
    suite.faithful(HOME.sent()["CompanyInfo"], info.to_dict(), "CompanyInfo read", DROPPED)
    preferences = quickbooks.objects.Preferences.get(qb=QB)
    suite.faithful(HOME.sent()["Preferences"], preferences.to_dict(), "Preferences read", DROPPED)
    suite.records += 2
    missing = suite.refused(exceptions.ObjectNotFoundException, lambda: quickbooks.objects.Invoice.get("999999999", qb=QB), "an unknown id")
    suite.equal(missing.error_code, 610, "an unknown id")
    suite.refused(exceptions.ValidationException, lambda: quickbooks.objects.Invoice.get("1.5", qb=QB), "an id that is no number")


def filters(suite):
    customer = quickbooks.objects.Customer
    active = customer.filter(Active=True, max_results=1000, qb=QB)
    suite.check(active and all(one.Active is True for one in active), "Active = True")
    inactive = customer.filter(Active=False, max_results=1000, qb=QB)
    suite.check(all(one.Active is False for one in inactive), "Active = False")
    both = customer.where("Active IN (True, False)", max_results=1000, qb=QB)
    suite.equal(len(both), len(active) + len(inactive), "both together")
    name = active[0].DisplayName
    suite.equal([one.Id for one in customer.filter(DisplayName=name, qb=QB)], [active[0].Id], "by name")
    chosen = customer.choose([active[0].Id, active[1].Id], field="Id", qb=QB)
    suite.equal({one.Id for one in chosen}, {active[0].Id, active[1].Id}, "chosen by id")
    suite.equal(customer.choose(["no one at all"], field="DisplayName", qb=QB), [], "none of that name")
    begun = customer.where(f"DisplayName LIKE '{name[:3]}%'", qb=QB)
    suite.check(active[0].Id in {one.Id for one in begun}, "LIKE with a beginning")
    invoice = quickbooks.objects.Invoice
    some = invoice.all(max_results=1000, order_by="TxnDate", qb=QB)
    suite.equal([one.TxnDate for one in some], sorted(one.TxnDate for one in some), "ORDER BY TxnDate")
    middle = some[len(some) // 2].TxnDate
    later = invoice.where(f"TxnDate >= '{middle}'", max_results=1000, qb=QB)
    suite.equal(len(later), sum(one.TxnDate >= middle for one in some), "by date")
    dear = invoice.where("TotalAmt > '300.00'", max_results=1000, qb=QB)
    suite.equal(len(dear), sum(one.TotalAmt > 300 for one in some), "a number in quotation marks")
    stamp = some[0].MetaData.LastUpdatedTime
    suite.check(invoice.where(f"Metadata.LastUpdatedTime >= '{stamp}'", max_results=5, qb=QB), "by time of change, as some connectors spell it")
    raw = QB.query("select Id, TotalAmt from Invoice startposition 1 maxresults 3")["QueryResponse"]
    suite.equal((raw["startPosition"], raw["maxResults"], len(raw["Invoice"])), (1, 3, 3), "counters")
    suite.equal(QB.query("select * from Invoice startposition 99999 maxresults 3")["QueryResponse"], {}, "a page past the end")


def refused_queries(suite):
    for statement, code in (
        ("select * frm Invoice", 4000),
        ("", 4000),
        ("select * from Nothing", 4001),
        ("select * from Invoice startposition 0", 4001),
        ("select * from Invoice maxresults 1001", 4001),
        ("select * from Invoice where Colour = 'red'", 4001),
    ):
        error = suite.refused(exceptions.ValidationException, lambda: QB.query(statement), statement)
        if error is not None:
            suite.check(error.error_code in (4000, 4001) and error.message, f"`{statement}`: {error.error_code}, expected {code}")
    unknown = suite.refused(exceptions.UnsupportedException, lambda: QB.get(f"{QB.api_url}/company/{QB.company_id}/nothing/1"), "an unknown route")
    suite.equal(unknown.error_code, 500, "an unknown route")


def decimals(suite):
    """Amounts come as JSON numbers with at most two decimals, and sum up exactly."""
    exact = Recorder(use_decimal=True)
    invoices = quickbooks.objects.Invoice.all(max_results=1000, qb=exact.client)
    for invoice in invoices:
        amounts = [line.Amount for line in invoice.Line if line.DetailType == "SubTotalLineDetail"]
        tax = invoice.TxnTaxDetail.TotalTax if invoice.TxnTaxDetail else 0
        for amount in [invoice.TotalAmt, invoice.Balance, *amounts]:
            places = -decimal.Decimal(amount).as_tuple().exponent
            suite.check(places <= 2, f"an amount with more than cents: {amount}")
        if amounts:
            suite.equal(decimal.Decimal(sum(amounts)) + decimal.Decimal(tax), decimal.Decimal(invoice.TotalAmt), "subtotal and tax are the total")
            suite.fields += 1
    print(f"summed exactly: {len(invoices)} invoices")


def changes(suite):
    wanted = [kind for name, kind in sorted(ENTITIES.items()) if name not in WITHOUT_CDC]
    since = datetime.datetime.fromisoformat(control("GET", "clock")["now"].replace("Z", "+00:00")[:26].split(".")[0].rstrip("Z"))
    company = QB.company_id
    documents = control("GET", f"companies/{company}/documents?kind=bill&limit=5")["documents"]
    control("POST", "clock", {"advance_secs": 5})
    deleted, voided = documents[0]["id"], control("GET", f"companies/{company}/documents?kind=invoice&limit=3")["documents"][0]["id"]
    control("POST", f"companies/{company}/documents/{deleted}/delete", {})
    control("POST", f"companies/{company}/documents/{voided}/void", {})
    stamp = since.strftime("%Y-%m-%dT%H:%M:%S") + "+00:00"
    answer = change_data_capture(wanted, stamp, qb=QB)
    groups = HOME.sent()["CDCResponse"][0]["QueryResponse"]
    suite.equal(len(groups), len(wanted), "one group for each entity that was asked for")
    bills = list(answer.Bill)
    suite.check(any(bill.Id == str(deleted) and bill.status == "Deleted" for bill in bills), "the deleted bill is told as Deleted")
    invoices = list(answer.Invoice)
    suite.check(any(invoice.Id == str(voided) and invoice.TotalAmt == 0 for invoice in invoices), "the voided invoice comes with zero amounts")
    for kind in wanted:
        group = getattr(answer, kind.qbo_object_name, None)
        for kept, sent in zip(group or [], next((g[kind.qbo_object_name] for g in groups if kind.qbo_object_name in g), [])):
            suite.records += 1
            suite.faithful(sent, kept.to_dict(), f"CDC {kind.qbo_object_name}", DROPPED)
    naive = change_data_capture([quickbooks.objects.Bill], since - datetime.timedelta(days=1), qb=QB)
    suite.check(hasattr(naive, "Bill"), "a time without a zone is taken")
    old = (since - datetime.timedelta(days=40)).strftime("%Y-%m-%dT%H:%M:%S+00:00")
    suite.refused(exceptions.UnsupportedException, lambda: change_data_capture([quickbooks.objects.Bill], old, qb=QB), "changes of 40 days ago")
    suite.refused(exceptions.UnsupportedException, lambda: QB.change_data_capture("TaxCode", stamp), "changes of an entity that has none")


def reports(suite):
    absent = []
    for name in REPORTS:
        for parameters in ({}, {"start_date": "2025-01-01", "end_date": "2025-12-31"}, {"date_macro": "Last Month", "accounting_method": "Accrual"}):
            try:
                report = QB.get_report(name, dict(parameters))
            except exceptions.UnsupportedException:
                absent.append(name)
                break
            width = len(report["Columns"]["Column"])
            suite.equal(set(report), {"Header", "Columns", "Rows"}, f"{name}: the parts of a report")
            suite.equal(report["Header"]["ReportName"], name, "the report's name")
            for row in every_row(report["Rows"]):
                suite.records += 1
                suite.check(len(row) == width, f"{name}: a row of {len(row)} cells in {width} columns")
                suite.check(all(isinstance(cell.get("value"), str) for cell in row), f"{name}: cells are texts")
    suite.check(not set(absent) & set(REPORTS[:4]), f"the reports that prove a copy: {absent}")
    print("reports not offered: " + (", ".join(absent) or "none"))
    balance = QB.get_report("TrialBalance", {"start_date": "2025-01-01", "end_date": "2025-12-31"})
    total = balance["Rows"]["Row"][-1]["Summary"]["ColData"]
    suite.equal(total[1]["value"], total[2]["value"], "debits are credits")
    suite.refused(exceptions.QuickbooksException, lambda: QB.get_report("TrialBalance", {"date_macro": "thisyeartolastmonth1"}), "an unknown period")
    months = QB.get_report("ProfitAndLoss", {"start_date": "2025-01-01", "end_date": "2025-12-31", "summarize_column_by": "Month"})
    suite.equal(len(months["Columns"]["Column"]), 14, "twelve months, the accounts and the total")


def every_row(rows):
    for row in rows.get("Row", []):
        for part in ("Header", "Summary"):
            if part in row:
                yield row[part]["ColData"]
        if "ColData" in row:
            yield row["ColData"]
        yield from every_row(row.get("Rows", {}))


def limits_and_faults(suite):
    company = QB.company_id
    control("POST", "faults", {"face": "quickbooks", "company": company, "fault": {"kind": "rate_limit", "problem": "minute"}})
    limited = suite.refused(exceptions.QuickbooksException, lambda: quickbooks.objects.Term.all(qb=QB), "a throttled call")
    suite.equal(HOME.last.status_code, 429, "a throttled call")
    # the library reads no XML, in which the provider often says this: then it shows the text under a code of its own
    suite.check(limited.error_code in (3001, 10000) and "ThrottleExceeded" in str(limited), f"a throttled call: {limited}")
    for status, kind in ((500, exceptions.QuickbooksException), (503, exceptions.QuickbooksException)):
        control("POST", "faults", {"face": "quickbooks", "company": company, "fault": {"kind": "status", "status": status}})
        suite.refused(kind, lambda: quickbooks.objects.Term.all(qb=QB), f"status {status}")
    control("POST", "faults", {"face": "quickbooks", "company": company, "fault": {"kind": "html_body"}})
    suite.refused(exceptions.QuickbooksException, lambda: quickbooks.objects.Term.all(qb=QB), "a page of HTML")
    control("POST", "limits", {"enforced": True, "reset": True})
    control("POST", "clock", {"freeze": control("GET", "clock")["now"]})
    refusals = 0
    for _ in range(12):
        try:
            quickbooks.objects.Term.all(qb=QB)
        except exceptions.QuickbooksException as error:
            refusals += "ThrottleExceeded" in str(error)
    suite.equal(refusals, 2, "more than ten calls in one second")
    control("POST", "clock", {"advance_secs": 61})
    suite.equal(isinstance(quickbooks.objects.Term.all(qb=QB), list), True, "after the window calls pass again")
    control("POST", "limits", {"enforced": False})
    control("POST", "tokens/expire")
    error = suite.refused(exceptions.AuthorizationException, lambda: quickbooks.objects.Term.all(qb=QB), "an expired token")
    suite.equal(error.error_code, 401, "an expired token")


if __name__ == "__main__":
    Suite().run(lists, all_of_them, single_reads, filters, refused_queries, decimals, changes, reports, limits_and_faults)
