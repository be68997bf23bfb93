// node-quickbooks writes: makes, changes, voids and deletes what it knows, alone and in batches; the books stay balanced.
'use strict';

const { ask, signIn } = require('./quickbooks_library.cjs');
const { control, Suite } = require('./sandbox.cjs');

const things = {};
let today;

async function balanced(suite, after) {
  const report = await ask('reportTrialBalance', { start_date: `${today.slice(0, 4)}-01-01`, end_date: today });
  const [, debit, credit] = report.Rows.Row.at(-1).Summary.ColData;
  suite.equal(debit.value, credit.value, `debits are credits after ${after}`);
}

/** Writes, reads again, and finds everything that was sent and everything that was answered. */
async function written(suite, name, record) {
  const made = await ask(`create${name}`, record);
  suite.records += 1;
  suite.check(/^\d+$/.test(made.Id) && made.SyncToken === '0' && made.MetaData?.CreateTime, `${name} has an id, a token and its times`, made);
  const read = await ask(`get${name}`, made.Id);
  suite.faithful(made, read, name);
  for (const [key, value] of Object.entries(record)) {
    if (typeof value !== 'object') suite.equal(read[key], value, `${name}.${key}`);
  }
  return read;
}

async function accountOf(type) {
  return (await ask('findAccounts', { AccountType: type, limit: 10 })).QueryResponse.Account[0];
}

const ref = (thing) => ({ value: thing.Id });
const saleLine = (amount) => ({ Amount: amount, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: { ItemRef: ref(things.item), Qty: 2, UnitPrice: amount / 2 } });
const expenseLine = (amount) => ({ Amount: amount, DetailType: 'AccountBasedExpenseLineDetail', AccountBasedExpenseLineDetail: { AccountRef: ref(things.postage) } });

async function lists(suite) {
  await signIn();
  today = (await control('GET', 'clock')).now.slice(0, 10);
  things.customer = await written(suite, 'Customer', { DisplayName: "Rosa's Flower Shop & Söhne", Notes: 'said "hello"\nand left' });
  things.vendor = await written(suite, 'Vendor', { DisplayName: 'Northern Paper' });
  things.postage = await written(suite, 'Account', { Name: 'Postage of tests', AccountType: 'Expense', AccountSubType: 'OfficeGeneralAdministrativeExpenses' });
  things.income = await accountOf('Income');
  things.bank = await accountOf('Bank');
  things.item = await written(suite, 'Item', { Name: 'Hour of testing', Type: 'Service', UnitPrice: 80, IncomeAccountRef: ref(things.income) });
  for (const name of ['Class', 'Department', 'PaymentMethod']) await written(suite, name, { Name: `${name} of tests` });
  await written(suite, 'Term', { Name: 'Net 7 of tests', DueDays: 7 });
  await balanced(suite, 'the lists');
}

async function documents(suite) {
  things.invoice = await written(suite, 'Invoice', { CustomerRef: ref(things.customer), TxnDate: today, DocNumber: 'T-1001', Line: [saleLine(240.5)] });
  suite.equal([things.invoice.TotalAmt, things.invoice.Balance], [240.5, 240.5], 'the invoice');
  const links = [{ Amount: 100, LinkedTxn: [{ TxnId: things.invoice.Id, TxnType: 'Invoice' }] }];
  things.payment = await written(suite, 'Payment', { CustomerRef: ref(things.customer), TotalAmt: 100, TxnDate: today, Line: links });
  suite.equal((await ask('getInvoice', things.invoice.Id)).Balance, 140.5, 'the payment is taken off');
  const deposited = { CustomerRef: ref(things.customer), TxnDate: today, DepositToAccountRef: ref(things.bank), Line: [saleLine(30)] };
  await written(suite, 'SalesReceipt', deposited);
  await written(suite, 'RefundReceipt', deposited);
  await written(suite, 'CreditMemo', { CustomerRef: ref(things.customer), TxnDate: today, Line: [saleLine(20)] });
  await written(suite, 'Estimate', { CustomerRef: ref(things.customer), TxnDate: today, Line: [saleLine(998)] });
  things.bill = await written(suite, 'Bill', { VendorRef: ref(things.vendor), TxnDate: today, Line: [expenseLine(60.25)] });
  const paid = [{ Amount: 60.25, LinkedTxn: [{ TxnId: things.bill.Id, TxnType: 'Bill' }] }];
  await written(suite, 'BillPayment', { VendorRef: ref(things.vendor), PayType: 'Check', TotalAmt: 60.25, TxnDate: today, CheckPayment: { BankAccountRef: ref(things.bank) }, Line: paid });
  suite.equal((await ask('getBill', things.bill.Id)).Balance, 0, 'the bill is paid');
  await written(suite, 'VendorCredit', { VendorRef: ref(things.vendor), TxnDate: today, Line: [expenseLine(5)] });
  await written(suite, 'Purchase', { AccountRef: ref(things.bank), PaymentType: 'Check', TxnDate: today, Line: [expenseLine(7.5)] });
  await written(suite, 'PurchaseOrder', { VendorRef: ref(things.vendor), TxnDate: today, Line: [expenseLine(70)] });
  await written(suite, 'Deposit', { DepositToAccountRef: ref(things.bank), TxnDate: today, Line: [{ Amount: 15, DetailType: 'DepositLineDetail', DepositLineDetail: { AccountRef: ref(things.income) } }] });
  const side = (type, account) => ({ Amount: 9.99, DetailType: 'JournalEntryLineDetail', JournalEntryLineDetail: { PostingType: type, AccountRef: ref(account) } });
  things.journal = await written(suite, 'JournalEntry', { TxnDate: today, Line: [side('Debit', things.postage), side('Credit', things.bank)] });
  await balanced(suite, 'the documents');
}

async function changes(suite) {
  const sparse = await ask('updateCustomer', { Id: things.customer.Id, SyncToken: things.customer.SyncToken, CompanyName: 'Rosa Ltd' });
  suite.equal([sparse.CompanyName, sparse.Notes, sparse.SyncToken], ['Rosa Ltd', things.customer.Notes, '1'], 'a sparse change leaves the rest');
  const stale = await suite.refused(() => ask('updateCustomer', { Id: things.customer.Id, SyncToken: '0', CompanyName: 'Too late' }), 'an old token');
  suite.equal(stale.error?.response?.data?.Fault?.Error?.[0]?.code, '5010', 'an old token');
  const other = await written(suite, 'Invoice', { CustomerRef: ref(things.customer), TxnDate: today, Line: [saleLine(12)] });
  await ask('voidInvoice', other.Id);
  const voided = await ask('getInvoice', other.Id);
  suite.equal([voided.TotalAmt, voided.Balance, voided.PrivateNote], [0, 0, 'Voided'], 'an invoice that was voided');
  const deleted = await ask('deleteJournalEntry', things.journal.Id);
  suite.equal(deleted.JournalEntry, { domain: 'QBO', status: 'Deleted', Id: things.journal.Id }, 'what deleting answers');
  const gone = await suite.refused(() => ask('getJournalEntry', things.journal.Id), 'what was deleted');
  suite.equal(gone.error?.response?.data?.Fault?.Error?.[0]?.code, '610', 'what was deleted');
  await ask('deletePayment', things.payment.Id);
  suite.equal((await ask('getInvoice', things.invoice.Id)).Balance, 240.5, 'without its payment the invoice is open again');
  await balanced(suite, 'the changes');
}

async function batches(suite) {
  const answer = await ask('batch', [
    { bId: 'a', operation: 'create', Customer: { DisplayName: 'Batch one' } },
    { bId: 'b', operation: 'create', Customer: { DisplayName: "Rosa's Flower Shop & Söhne" } },
    { bId: 'c', operation: 'update', Vendor: { Id: things.vendor.Id, SyncToken: things.vendor.SyncToken, sparse: true, CompanyName: 'Paper Ltd' } },
    { bId: 'd', Query: 'select * from Invoice maxresults 3' },
    { bId: 'e', Query: 'select * from Nothing' },
  ]);
  const by = Object.fromEntries(answer.BatchItemResponse.map((item) => [item.bId, item]));
  suite.equal(Object.keys(by).sort(), ['a', 'b', 'c', 'd', 'e'], 'every item is answered');
  suite.equal([by.a.Customer?.DisplayName, by.b.Fault?.Error?.[0]?.code, by.c.Vendor?.CompanyName], ['Batch one', '6240', 'Paper Ltd'], 'each by itself');
  suite.equal([by.d.QueryResponse?.Invoice?.length, by.e.Fault?.type], [3, 'ValidationFault'], 'queries too');
  const many = await suite.refused(() => ask('batch', Array.from({ length: 31 }, (_, number) => ({ bId: String(number), Query: 'select * from Term' }))), 'thirty-one items');
  suite.equal(many.error?.response?.data?.Fault?.Error?.[0]?.code, '1040', 'thirty-one items');
  await balanced(suite, 'the batches');
}

new Suite().run(lists, documents, changes, batches);
