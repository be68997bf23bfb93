"""python-quickbooks writes: makes, changes, voids and deletes what it knows, alone and in batches; the books stay balanced and say what was written."""

import decimal
import json

from quickbooks import exceptions
from quickbooks.batch import batch_create, batch_delete, batch_update
from quickbooks.objects import (
    Account, AccountBasedExpenseLine, AccountBasedExpenseLineDetail, Attachable, AttachableRef, Bill, BillPayment, BillPaymentLine, Class, CreditMemo,
    Customer, Department, Deposit, DepositLine, DepositLineDetail, EmailAddress, Employee, Estimate, Invoice, Item, JournalEntry, JournalEntryLine,
    JournalEntryLineDetail, Payment, PaymentLine, PaymentMethod, Purchase, PurchaseOrder, Ref, RefundReceipt, SalesItemLine, SalesItemLineDetail,
    SalesReceipt, Term, Transfer, Vendor, VendorCredit,
)
from quickbooks.objects.billpayment import CheckPayment

from quickbooks_reading import HOME, QB
from sandbox import Suite, control

TODAY = control("GET", "clock")["now"][:10]


def ref(value, name=None):
    made = Ref()
    made.value = value
    made.name = name
    made.type = None
    return made


def account(kind, subtype=None):
    return next(one for one in Account.where(f"AccountType = '{kind}'", max_results=100, qb=QB) if subtype in (None, one.AccountSubType))


def balanced(suite, after):
    report = QB.get_report("TrialBalance", {"start_date": TODAY[:4] + "-01-01", "end_date": TODAY})
    total = report["Rows"]["Row"][-1]["Summary"]["ColData"]
    suite.equal(total[1]["value"], total[2]["value"], f"debits are credits after {after}")
    return {row["ColData"][0].get("id"): row["ColData"] for row in report["Rows"]["Row"] if "ColData" in row}


def written(suite, thing, name):
    """Saves, and reads what was saved: everything that was sent stands in it."""
    # what was set, apart from the empty defaults of the library's classes
    sent = {key: value for key, value in json.loads(thing.to_json()).items() if value not in ("", None, 0, [], {}, "0") and key not in ("sparse", "SyncToken")}
    saved = thing.save(qb=QB)
    suite.records += 1
    suite.check(saved.Id and saved.SyncToken is not None, f"{name} has an id and a token")
    suite.faithful(HOME.sent()[thing.qbo_object_name], saved.to_dict(), f"{name} written")
    read = type(thing).get(saved.Id, qb=QB)
    suite.equal(read.to_dict(), saved.to_dict(), f"{name} is read as it was answered")
    kept = json.loads(json.dumps(read.to_dict()))
    for key in ("Name", "DisplayName", "DocNumber", "TxnDate", "PrivateNote", "TotalAmt", "DueDate", "AccountType"):
        if key in sent:
            suite.equal(kept.get(key), sent[key], f"{name}.{key}")
    return read


def sale_line(item, amount, quantity=1):
    line = SalesItemLine()
    line.Amount = amount
    line.SalesItemLineDetail = SalesItemLineDetail()
    line.SalesItemLineDetail.ItemRef = ref(item.Id)
    line.SalesItemLineDetail.Qty = quantity
    line.SalesItemLineDetail.UnitPrice = amount / quantity
    line.SalesItemLineDetail.ServiceDate = None
    return line


def expense_line(where, amount):
    line = AccountBasedExpenseLine()
    line.Amount = amount
    line.AccountBasedExpenseLineDetail = AccountBasedExpenseLineDetail()
    line.AccountBasedExpenseLineDetail.AccountRef = ref(where.Id)
    line.AccountBasedExpenseLineDetail.BillableStatus = None
    return line


def sale(kind, customer, item, amount, **fields):
    made = kind()
    made.CustomerRef = ref(customer.Id)
    made.TxnDate = TODAY
    made.Line = [sale_line(item, amount)]
    for name, value in fields.items():
        setattr(made, name, value)
    return made


THINGS = {}


def lists(suite):
    customer = Customer()
    customer.DisplayName = "Rosa's Flower Shop & Söhne"
    customer.GivenName, customer.FamilyName, customer.Notes = "Rosa", "Söhne", "said \"hello\"\nand left"
    customer.PrimaryEmailAddr = EmailAddress()
    customer.PrimaryEmailAddr.Address = "rosa@flowers.example"
    THINGS["customer"] = written(suite, customer, "Customer")
    vendor = Vendor()
    vendor.DisplayName = "Northern Paper"
    THINGS["vendor"] = written(suite, vendor, "Vendor")
    for kind, name in ((Class, "Class of tests"), (Department, "Department of tests"), (PaymentMethod, "Barter of tests")):
        made = kind()
        made.Name = name
        THINGS[name] = written(suite, made, kind.__name__)
    term = Term()
    term.Name, term.DueDays = "Net 7 of tests", 7
    written(suite, term, "Term")
    employee = Employee()
    employee.GivenName, employee.FamilyName = "Ida", "Worker"
    written(suite, employee, "Employee")
    made = Account()
    made.Name, made.AccountType, made.AccountSubType = "Postage of tests", "Expense", "OfficeGeneralAdministrativeExpenses"
    THINGS["postage"] = written(suite, made, "Account")
    item = Item()
    item.Name, item.Type, item.UnitPrice = "Hour of testing", "Service", 80
    item.IncomeAccountRef = ref(account("Income").Id)
    THINGS["item"] = written(suite, item, "Item")
    double = Customer()
    double.DisplayName = "Rosa's Flower Shop & Söhne"
    taken = suite.refused(exceptions.QuickbooksException, lambda: double.save(qb=QB), "a name that is taken")
    suite.equal(taken.error_code, 6240, "a name that is taken")
    balanced(suite, "the lists")


def sales(suite):
    customer, item = THINGS["customer"], THINGS["item"]
    invoice = written(suite, sale(Invoice, customer, item, 240.5, DocNumber="T-1001", DueDate=TODAY, PrivateNote="a test"), "Invoice")
    suite.equal((invoice.TotalAmt, invoice.Balance), (240.5, 240.5), "the invoice's total and balance")
    suite.equal([line.DetailType for line in invoice.Line], ["SalesItemLineDetail", "SubTotalLineDetail"], "its lines")
    suite.equal(Customer.get(customer.Id, qb=QB).Balance, 240.5, "what the customer owes")
    payment = Payment()
    payment.CustomerRef, payment.TotalAmt, payment.TxnDate = ref(customer.Id), 100, TODAY
    line = PaymentLine()
    line.Amount, line.LinkedTxn = 100, [invoice.to_linked_txn()]
    payment.Line = [line]
    payment = written(suite, payment, "Payment")
    invoice = Invoice.get(invoice.Id, qb=QB)
    suite.equal(invoice.Balance, 140.5, "the payment is taken off")
    suite.equal([(link.TxnId, link.TxnType) for link in invoice.LinkedTxn], [(payment.Id, "Payment")], "and linked")
    rest = Payment()
    rest.CustomerRef, rest.TotalAmt, rest.TxnDate = ref(customer.Id), 50, TODAY
    rest = written(suite, rest, "Payment on account")
    suite.equal(rest.UnappliedAmt, 50, "nothing is paid with it yet")
    bank = account("Bank")
    for kind in (SalesReceipt, RefundReceipt):
        written(suite, sale(kind, customer, item, 30, DepositToAccountRef=ref(bank.Id)), kind.__name__)
    written(suite, sale(CreditMemo, customer, item, 20), "CreditMemo")
    written(suite, sale(Estimate, customer, item, 999), "Estimate")
    THINGS.update(invoice=invoice, payment=payment, rest=rest, bank=bank)
    balanced(suite, "the sales")


def purchases(suite):
    vendor, postage, bank = THINGS["vendor"], THINGS["postage"], THINGS["bank"]
    bill = Bill()
    bill.VendorRef, bill.TxnDate, bill.DueDate, bill.DocNumber = ref(vendor.Id), TODAY, TODAY, "NP-77"
    bill.Line = [expense_line(postage, 60.25)]
    bill = written(suite, bill, "Bill")
    suite.equal((bill.TotalAmt, bill.Balance), (60.25, 60.25), "the bill")
    paid = BillPayment()
    paid.VendorRef, paid.PayType, paid.TotalAmt, paid.TxnDate = ref(vendor.Id), "Check", 60.25, TODAY
    paid.CheckPayment = CheckPayment()
    paid.CheckPayment.BankAccountRef = ref(bank.Id)
    line = BillPaymentLine()
    line.Amount, line.LinkedTxn = 60.25, [bill.to_linked_txn()]
    paid.Line = [line]
    paid = written(suite, paid, "BillPayment")
    bill = Bill.get(bill.Id, qb=QB)
    suite.equal((bill.Balance, [link.TxnType for link in bill.LinkedTxn]), (0, ["BillPaymentCheck"]), "the bill is paid")
    credit = VendorCredit()
    credit.VendorRef, credit.TxnDate, credit.Line = ref(vendor.Id), TODAY, [expense_line(postage, 5)]
    written(suite, credit, "VendorCredit")
    purchase = Purchase()
    purchase.AccountRef, purchase.PaymentType, purchase.TxnDate, purchase.Line = ref(bank.Id), "Check", TODAY, [expense_line(postage, 7.5)]
    THINGS["purchase"] = written(suite, purchase, "Purchase")
    order = PurchaseOrder()
    order.VendorRef, order.TxnDate, order.Line = ref(vendor.Id), TODAY, [expense_line(postage, 70)]
    written(suite, order, "PurchaseOrder")
    row = balanced(suite, "the purchases")[postage.Id]
    suite.equal(row[1]["value"], "62.75", "the new account in the trial balance")
    THINGS.update(bill=bill)


def banking(suite):
    bank, postage = THINGS["bank"], THINGS["postage"]
    other = next(one for one in Account.where("AccountType IN ('Bank', 'Other Current Asset')", qb=QB) if one.Id != bank.Id)
    transfer = Transfer()
    transfer.FromAccountRef, transfer.ToAccountRef, transfer.Amount, transfer.TxnDate = ref(bank.Id), ref(other.Id), 12.34, TODAY
    written(suite, transfer, "Transfer")
    deposit = Deposit()
    deposit.DepositToAccountRef, deposit.TxnDate = ref(bank.Id), TODAY
    line = DepositLine()
    line.Amount, line.LinkedTxn, line.DetailType = 15, [], "DepositLineDetail"
    line.DepositLineDetail = DepositLineDetail()
    line.DepositLineDetail.AccountRef = ref(account("Income").Id)
    line.DepositLineDetail.Entity = line.DepositLineDetail.ClassRef = line.DepositLineDetail.PaymentMethodRef = None
    deposit.Line = [line]
    written(suite, deposit, "Deposit")

    def journal(debit, credit):
        made = JournalEntry()
        made.TxnDate = TODAY
        for side, where, amount in (("Debit", postage, debit), ("Credit", bank, credit)):
            line = JournalEntryLine()
            line.Amount, line.Description = amount, "stamps"
            line.JournalEntryLineDetail = JournalEntryLineDetail()
            line.JournalEntryLineDetail.PostingType, line.JournalEntryLineDetail.AccountRef = side, ref(where.Id)
            line.JournalEntryLineDetail.BillableStatus = None
            made.Line.append(line)
        return made

    THINGS["journal"] = written(suite, journal(9.99, 9.99), "JournalEntry")
    lame = suite.refused(exceptions.QuickbooksException, lambda: journal(10, 9).save(qb=QB), "a journal that does not balance")
    suite.check(lame.error_code in (2300, 6000), f"a journal that does not balance: {lame.error_code}")
    balanced(suite, "the banking")


def updates(suite):
    customer = Customer.get(THINGS["customer"].Id, qb=QB)
    token = customer.SyncToken
    customer.CompanyName = "Rosa Ltd"
    saved = customer.save(qb=QB)
    suite.equal((saved.CompanyName, int(saved.SyncToken)), ("Rosa Ltd", int(token) + 1), "a change moves the token on")
    suite.equal(saved.Notes, THINGS["customer"].Notes, "what was not touched stays")
    customer.SyncToken = token
    customer.CompanyName = "Too late"
    stale = suite.refused(exceptions.QuickbooksException, lambda: customer.save(qb=QB), "an old token")
    suite.equal(stale.error_code, 5010, "an old token")
    bill = Bill.get(THINGS["bill"].Id, qb=QB)
    bill.PrivateNote = "checked"
    suite.equal(bill.save(qb=QB).PrivateNote, "checked", "a note on a paid bill")
    purchase = Purchase.get(THINGS["purchase"].Id, qb=QB)
    purchase.Line = [expense_line(THINGS["postage"], 8.5)]
    suite.equal(purchase.save(qb=QB).TotalAmt, 8.5, "other lines, another total")
    postage = Account.get(THINGS["postage"].Id, qb=QB)
    suite.equal(balanced(suite, "the changes")[postage.Id][1]["value"], "73.74", "the trial balance follows")


def voids_and_deletions(suite):
    invoice = Invoice.get(THINGS["invoice"].Id, qb=QB)
    rest = Payment.get(THINGS["rest"].Id, qb=QB)
    rest.void(qb=QB)
    suite.equal(Payment.get(rest.Id, qb=QB).TotalAmt, 0, "a payment that was voided")
    other = written(suite, sale(Invoice, THINGS["customer"], THINGS["item"], 11), "Invoice to void")
    other.void(qb=QB)
    voided = Invoice.get(other.Id, qb=QB)
    suite.equal((voided.TotalAmt, voided.Balance, voided.PrivateNote.startswith("Voided")), (0, 0, True), "an invoice that was voided")
    journal = JournalEntry.get(THINGS["journal"].Id, qb=QB)
    answer = journal.delete(qb=QB)
    suite.equal(answer["JournalEntry"], {"domain": "QBO", "status": "Deleted", "Id": journal.Id}, "what deleting answers")
    gone = suite.refused(exceptions.ObjectNotFoundException, lambda: JournalEntry.get(journal.Id, qb=QB), "what was deleted")
    suite.equal(gone.error_code, 610, "what was deleted")
    payment = Payment.get(THINGS["payment"].Id, qb=QB)
    payment.delete(qb=QB)
    suite.equal(Invoice.get(invoice.Id, qb=QB).Balance, 240.5, "without its payment the invoice is open again")
    customer = Customer.get(THINGS["customer"].Id, qb=QB)
    customer.Active = False
    suite.refused(exceptions.QuickbooksException, lambda: customer.save(qb=QB), "a customer who owes something")
    vendor = Vendor()
    vendor.DisplayName = "Short-lived"
    vendor.save(qb=QB)
    vendor = Vendor.get(vendor.Id, qb=QB)
    vendor.Active = False
    suite.equal(vendor.save(qb=QB).Active, False, "a vendor is made inactive")
    suite.equal(Vendor.where("DisplayName LIKE 'Short-lived%' AND Active = false", qb=QB)[0].Id, vendor.Id, "and found as such")
    balanced(suite, "voiding and deleting")


def batches(suite):
    customers = []
    for number in range(34):
        one = Customer()
        one.DisplayName = f"Batch {number}"
        customers.append(one)
    double = Customer()
    double.DisplayName = "Batch 1"
    made = batch_create(customers + [double], qb=QB)
    suite.equal((len(made.successes), len(made.faults)), (34, 1), "thirty-five in two batches, one of them refused")
    suite.equal(made.faults[0].Error[0].code, "6240", "the one that was refused")
    suite.records += 35
    for one in made.successes:
        one.CompanyName = "All"
    changed = batch_update(made.successes[:30], qb=QB)
    suite.equal({one.CompanyName for one in changed.successes}, {"All"}, "changed in a batch")
    invoices = batch_create([sale(Invoice, made.successes[0], THINGS["item"], 5) for _ in range(3)], qb=QB).successes
    suite.equal(len(batch_delete(invoices, qb=QB).faults), 0, "deleted in a batch")
    suite.equal(Invoice.count(f"CustomerRef = '{made.successes[0].Id}'", qb=QB), 0, "none is left")
    balanced(suite, "the batches")


def attachments(suite):
    paper = Attachable()
    paper.FileName, paper.ContentType, paper.Note = "receipt.txt", "text/plain", "a receipt"
    paper._FileBytes = b"stamps, 9.99"
    link = AttachableRef()
    link.EntityRef = ref(THINGS["bill"].Id)
    link.EntityRef.type = "Bill"
    paper.AttachableRef = [link]
    kept = paper.save(qb=QB)
    suite.equal((kept.FileName, kept.ContentType, int(kept.Size)), ("receipt.txt", "text/plain", 12), "a file")
    suite.equal((kept.AttachableRef[0].EntityRef.type, kept.AttachableRef[0].EntityRef.value), ("Bill", THINGS["bill"].Id), "and what it is of")
    suite.equal(Attachable.get(kept.Id, qb=QB).FileName, "receipt.txt", "the file is there")
    suite.records += 1
    note = Attachable()
    note.Note = "only a note"
    suite.equal(note.save(qb=QB).Note, "only a note", "a note without a file")
    suite.records += 1


if __name__ == "__main__":
    Suite().run(lists, sales, purchases, banking, updates, voids_and_deletions, batches, attachments)
