"""xero-python writes: makes, changes, voids, deletes and allocates what it knows; the books stay balanced and say what was written."""

import datetime
from decimal import Decimal

from xero_python.accounting import (
    Account, AccountType, Allocation, Allocations, BankTransaction, BankTransactions, BankTransfer, BankTransfers, Contact, Contacts, CreditNote, CreditNotes, Invoice,
    Invoices, Item, Items, LineAmountTypes, LineItem, ManualJournal, ManualJournalLine, ManualJournals, Payment, PaymentDelete, Payments, PurchaseOrder, PurchaseOrders,
    Quote, Quotes, TaxRate, TaxComponent, TaxRates, TrackingCategory, TrackingOption,
)
from xero_python.exceptions import AccountingBadRequestException, HTTPStatusException
from xero_python.exceptions.http_status_exceptions import BadRequestException, NotFoundException

from sandbox import Suite, companies, control
from xero_reading import API, DROPPED, ONE, TENANT, plain, serialize

TODAY = datetime.date.fromisoformat(control("GET", "clock")["now"][:10])
THINGS = {}


def written(suite, method, *arguments, **options):
    """What the library made of the answer to a write, and the answer."""
    made = getattr(API, method)(TENANT, *arguments, **options)
    sent, kept = plain(ONE.sent()), plain(serialize(made))
    key = next(key for key, value in sent.items() if isinstance(value, list) and key not in ("Warnings", "Elements"))
    place = f"{method} {key}"
    suite.records += len(sent[key])
    # the fields that reading loses, under this call's name, and the marks of a write that only some schemas have
    written_too = tuple(f"{method} {end}" for end in DROPPED) + ("StatusAttributeString", ".HasErrors", ".ValidationErrors", ".Warnings", ".Attachments", ".ID", ".Type")
    suite.faithful(sent[key], kept[key], place, DROPPED + written_too)
    return made, sent[key]


def balanced(suite, after):
    rows = API.get_report_trial_balance(TENANT, date=TODAY).reports[0].rows
    total = rows[-1].rows[0].cells
    suite.equal(total[1].value, total[2].value, f"debits are credits after {after}")
    suite.equal(total[3].value, total[4].value, f"debits are credits in the year after {after}")


def account(**wanted):
    for one in API.get_accounts(TENANT).accounts:
        if all(getattr(getattr(one, name), "value", getattr(one, name)) == value for name, value in wanted.items()):
            return one
    raise AssertionError(f"no account {wanted}")


def line(amount, code, **fields):
    return LineItem(description="of a test", quantity=Decimal(1), unit_amount=Decimal(amount), account_code=code, **fields)


def lists(suite):
    made, _ = written(suite, "create_contacts", Contacts(contacts=[Contact(name="Rosa's Flower Shop & Söhne", email_address="rosa@flowers.example"), Contact(name="Northern Paper")]))
    THINGS["customer"], THINGS["vendor"] = made.contacts
    again = API.get_contact(TENANT, made.contacts[0].contact_id).contacts[0]
    suite.equal((again.name, again.email_address), ("Rosa's Flower Shop & Söhne", "rosa@flowers.example"), "the contact")
    changed, _ = written(suite, "update_contact", again.contact_id, Contacts(contacts=[Contact(contact_id=again.contact_id, first_name="Rosa")]))
    suite.equal((changed.contacts[0].first_name, changed.contacts[0].name), ("Rosa", again.name), "a change leaves the rest")
    found = API.get_contacts(TENANT, where='Name=="Northern Paper"').contacts
    suite.equal([one.contact_id for one in found], [made.contacts[1].contact_id], "found by its name")
    made, _ = written(suite, "create_account", Account(code="699", name="Postage of tests", type=AccountType.EXPENSE))
    THINGS["postage"] = made.accounts[0]
    income = account(type="REVENUE")
    THINGS["income"], THINGS["bank"] = income, account(type="BANK")
    made, _ = written(suite, "create_items", Items(items=[Item(code="HOUR-T", name="Hour of testing")]))
    THINGS["item"] = made.items[0]
    made, _ = written(suite, "create_tax_rates", TaxRates(tax_rates=[TaxRate(name="Tax of tests", tax_components=[TaxComponent(name="Tax of tests", rate=Decimal("7.5"))])]))
    suite.check(made.tax_rates[0].tax_type.startswith("TAX"), f"a rate of one's own has a type: {made.tax_rates[0].tax_type}")
    # two may be active at once and the books have their two, one of them in use: what is used cannot be deleted, only archived
    used = next(category for category in API.get_tracking_categories(TENANT).tracking_categories if category.name == "Department")
    suite.refused(AccountingBadRequestException, lambda: API.delete_tracking_category(TENANT, used.tracking_category_id), "deleting what is used")
    changed, _ = written(suite, "update_tracking_category", used.tracking_category_id, TrackingCategory(name=used.name, status="ARCHIVED"))
    suite.equal(changed.tracking_categories[0].status, "ARCHIVED", "the archived category")
    made, _ = written(suite, "create_tracking_category", TrackingCategory(name="Region of tests"))
    region = made.tracking_categories[0].tracking_category_id
    written(suite, "create_tracking_options", region, TrackingOption(name="North of tests"))
    API.delete_tracking_category(TENANT, region)
    left = [one.tracking_category_id for one in API.get_tracking_categories(TENANT).tracking_categories]
    suite.check(region not in left, "a category that nothing uses can be deleted")
    balanced(suite, "the lists")


def invoices(suite):
    customer, vendor, income, postage, bank = (THINGS[name] for name in ("customer", "vendor", "income", "postage", "bank"))
    sale = Invoice(
        type="ACCREC", contact=Contact(contact_id=customer.contact_id), date=TODAY, due_date=TODAY, status="AUTHORISED", invoice_number="T-1001",
        line_amount_types=LineAmountTypes.NOTAX, line_items=[line("200.50", income.code), line("40", income.code)],
    )
    bill = Invoice(
        type="ACCPAY", contact=Contact(contact_id=vendor.contact_id), date=TODAY, due_date=TODAY, status="AUTHORISED", invoice_number="NP-77",
        line_amount_types=LineAmountTypes.NOTAX, line_items=[line("60.25", postage.code)],
    )
    made, _ = written(suite, "create_invoices", Invoices(invoices=[sale, bill]))
    sale, bill = made.invoices
    suite.equal((sale.total, sale.amount_due, bill.total), (Decimal("240.5"), Decimal("240.5"), Decimal("60.25")), "the totals")
    balanced(suite, "the invoices")
    made, _ = written(suite, "create_payments", Payments(payments=[
        Payment(invoice=Invoice(invoice_id=sale.invoice_id), account=Account(account_id=bank.account_id), date=TODAY, amount=Decimal("100")),
        Payment(invoice=Invoice(invoice_id=bill.invoice_id), account=Account(account_id=bank.account_id), date=TODAY, amount=Decimal("60.25")),
    ]))
    THINGS["payment"] = made.payments[0]
    again = {one.invoice_id: one for one in API.get_invoices(TENANT, i_ds=[sale.invoice_id, bill.invoice_id], page=1).invoices}
    suite.equal((again[sale.invoice_id].amount_due, again[sale.invoice_id].status), (Decimal("140.5"), "AUTHORISED"), "partly paid")
    suite.equal((again[bill.invoice_id].amount_due, again[bill.invoice_id].status), (Decimal(0), "PAID"), "paid")
    THINGS.update(sale=sale, bill=bill)
    note = CreditNote(type="ACCRECCREDIT", contact=Contact(contact_id=customer.contact_id), date=TODAY, status="AUTHORISED", line_amount_types=LineAmountTypes.NOTAX, line_items=[line("30", income.code)])
    made, _ = written(suite, "create_credit_notes", CreditNotes(credit_notes=[note]))
    credit = made.credit_notes[0]
    suite.equal(credit.remaining_credit, Decimal(30), "nothing of the credit is used")
    allocation = Allocation(amount=Decimal("20"), date=TODAY, invoice=Invoice(invoice_id=sale.invoice_id))
    written(suite, "create_credit_note_allocation", credit.credit_note_id, Allocations(allocations=[allocation]))
    suite.equal(API.get_credit_note(TENANT, credit.credit_note_id).credit_notes[0].remaining_credit, Decimal(10), "the credit is partly used")
    suite.equal(API.get_invoice(TENANT, sale.invoice_id).invoices[0].amount_due, Decimal("120.5"), "and the invoice knows")
    draft, _ = written(suite, "create_invoices", Invoices(invoices=[Invoice(type="ACCREC", contact=Contact(contact_id=customer.contact_id), date=TODAY, due_date=TODAY, status="DRAFT", line_amount_types=LineAmountTypes.NOTAX, line_items=[line("9", income.code)])]))
    draft = draft.invoices[0]
    for status in ("SUBMITTED", "AUTHORISED", "VOIDED"):
        changed, _ = written(suite, "update_invoice", draft.invoice_id, Invoices(invoices=[Invoice(invoice_id=draft.invoice_id, status=status)]))
        suite.equal(changed.invoices[0].status, status, "from state to state")
    suite.equal(API.get_invoice(TENANT, draft.invoice_id).invoices[0].amount_due, Decimal(0), "nothing is due on what was voided")
    balanced(suite, "payments, credits and a void")


def banking(suite):
    postage, bank, customer = THINGS["postage"], THINGS["bank"], THINGS["customer"]
    spent = BankTransaction(type="SPEND", contact=Contact(contact_id=customer.contact_id), bank_account=Account(account_id=bank.account_id), date=TODAY, line_amount_types=LineAmountTypes.NOTAX, line_items=[line("7.5", postage.code)])
    made, _ = written(suite, "create_bank_transactions", BankTransactions(bank_transactions=[spent]))
    spent = made.bank_transactions[0]
    other = next((one for one in API.get_accounts(TENANT, where='Type=="BANK"').accounts if one.account_id != bank.account_id), None)
    if other is None:
        made, _ = written(suite, "create_account", Account(code="092", name="Till of tests", type=AccountType.BANK, bank_account_number="0101-0000000-00"))
        other = made.accounts[0]
    transfer = BankTransfer(from_bank_account=Account(account_id=bank.account_id), to_bank_account=Account(account_id=other.account_id), amount=Decimal("12.34"), date=TODAY)
    written(suite, "create_bank_transfer", BankTransfers(bank_transfers=[transfer]))
    journal = ManualJournal(narration="stamps", date=TODAY, status="POSTED", line_amount_types=LineAmountTypes.NOTAX, journal_lines=[
        ManualJournalLine(line_amount=Decimal("9.99"), account_code=postage.code), ManualJournalLine(line_amount=Decimal("-9.99"), account_code=THINGS["income"].code)])
    made, _ = written(suite, "create_manual_journals", ManualJournals(manual_journals=[journal]))
    suite.equal(sum(one.line_amount for one in made.manual_journals[0].journal_lines), 0, "the journal balances")
    journal.journal_lines[1].line_amount = Decimal("-9")
    lame = suite.refused(BadRequestException, lambda: API.create_manual_journals(TENANT, ManualJournals(manual_journals=[journal])), "a journal that does not balance")
    suite.check(lame.reason and lame.status, "and says why")
    deleted, _ = written(suite, "update_bank_transaction", spent.bank_transaction_id, BankTransactions(bank_transactions=[BankTransaction(bank_transaction_id=spent.bank_transaction_id, status="DELETED", type="SPEND", bank_account=Account(account_id=bank.account_id), line_items=[line("7.5", postage.code)])]))
    suite.equal(deleted.bank_transactions[0].status, "DELETED", "a bank transaction is deleted")
    balanced(suite, "the banking")


def orders(suite):
    customer, vendor, postage, income = (THINGS[name] for name in ("customer", "vendor", "postage", "income"))
    written(suite, "create_purchase_orders", PurchaseOrders(purchase_orders=[PurchaseOrder(contact=Contact(contact_id=vendor.contact_id), date=TODAY, line_items=[line("70", postage.code)])]))
    made, _ = written(suite, "create_quotes", Quotes(quotes=[Quote(contact=Contact(contact_id=customer.contact_id), date=TODAY, line_items=[line("999", income.code)])]))
    suite.check(made.quotes[0].quote_id, "a quote has its id")
    balanced(suite, "the orders")


def deletions(suite):
    payment = THINGS["payment"]
    written(suite, "delete_payment", payment.payment_id, PaymentDelete(status="DELETED"))
    suite.equal(API.get_payment(TENANT, payment.payment_id).payments[0].status, "DELETED", "a payment stays in sight as DELETED")
    suite.equal(API.get_invoice(TENANT, THINGS["sale"].invoice_id).invoices[0].amount_due, Decimal("220.5"), "its invoice is open again")
    API.delete_item(TENANT, THINGS["item"].item_id)
    suite.equal(ONE.last.status, 204, "deleting an item answers nothing")
    suite.refused(NotFoundException, lambda: API.get_item(TENANT, THINGS["item"].item_id), "the item is gone")
    archived, _ = written(suite, "update_contact", THINGS["vendor"].contact_id, Contacts(contacts=[Contact(contact_id=THINGS["vendor"].contact_id, contact_status="ARCHIVED")]))
    suite.equal(archived.contacts[0].contact_status, "ARCHIVED", "a contact is archived")
    suite.equal(API.get_contacts(TENANT, where='Name=="Northern Paper"').contacts, [], "and out of the list")
    balanced(suite, "the deletions")


def refusals(suite):
    customer, income = THINGS["customer"], THINGS["income"]

    def sale(**fields):
        made = dict(type="ACCREC", contact=Contact(contact_id=customer.contact_id), date=TODAY, due_date=TODAY, status="AUTHORISED", line_items=[line("5", income.code)])
        return Invoice(**(made | fields))

    wrong = [sale(line_items=[line("5", "no such account")]), sale(contact=Contact(contact_id="00000000-0000-4000-8000-000000000000")), sale(type=None)]
    for one in wrong:
        error = suite.refused(BadRequestException, lambda: API.create_invoices(TENANT, Invoices(invoices=[one])), "an invoice with a fault")
        told = ONE.sent()
        suite.equal((error.status, told["ErrorNumber"], told["Type"]), (error.status, 10, "ValidationException"), "its refusal")
        suite.check(told["Elements"][0]["ValidationErrors"][0]["Message"] == error.reason, f"the library finds the reason: {error.reason}")
    made = API.create_invoices(TENANT, Invoices(invoices=[sale(reference="good"), wrong[0]]), summarize_errors=False)
    suite.equal([one.has_errors for one in made.invoices], [False, True], "one by one")
    suite.check(made.invoices[1].validation_errors[0].message and made.invoices[0].invoice_id, "the good one is written, the other explained")
    first = API.create_invoices(TENANT, Invoices(invoices=[sale()]), idempotency_key="key-of-tests")
    again = API.create_invoices(TENANT, Invoices(invoices=[sale()]), idempotency_key="key-of-tests")
    suite.equal(again.invoices[0].invoice_id, first.invoices[0].invoice_id, "the same key writes once")
    other = companies("xero")[1]["id"]
    error = suite.refused((BadRequestException, HTTPStatusException), lambda: API.update_invoice(other, first.invoices[0].invoice_id, Invoices(invoices=[sale()])), "an invoice of another company")
    suite.check(ONE.last.status in (400, 404), f"an invoice of another company: {ONE.last.status}")
    balanced(suite, "the refusals")


if __name__ == "__main__":
    Suite().run(lists, invoices, banking, orders, deletions, refusals)
