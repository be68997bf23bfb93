// xero-node writes: makes, changes, voids and allocates what it knows; the books stay balanced and say what was written.
'use strict';

const { api, read, refusal, signIn } = require('./xero_library.cjs');
const { control, Suite } = require('./sandbox.cjs');

const things = {};
let tenant;
let today;

async function balanced(suite, after) {
  const { body } = await read('getReportTrialBalance', tenant, today);
  const cells = body.reports[0].rows.at(-1).rows[0].cells.map((cell) => cell.value);
  suite.equal([cells[1], cells[3]], [cells[2], cells[4]], `debits are credits after ${after}`);
}

/** The first record that a write answers with. */
async function written(suite, method, ...parameters) {
  const { sent, body } = await read(method, tenant, ...parameters);
  const key = Object.keys(sent).find((name) => Array.isArray(sent[name]) && name !== 'Warnings');
  suite.records += sent[key].length;
  suite.check(sent[key].length > 0, `${method} answers what it wrote`);
  return body[key[0].toLowerCase() + key.slice(1)][0];
}

const line = (amount, account) => ({ description: 'of a test', quantity: 1, unitAmount: amount, accountCode: account.code });

async function lists(suite) {
  [tenant] = await signIn();
  today = (await control('GET', 'clock')).now.slice(0, 10);
  things.customer = await written(suite, 'createContacts', { contacts: [{ name: "Rosa's Flower Shop & Söhne" }] });
  things.vendor = await written(suite, 'createContacts', { contacts: [{ name: 'Northern Paper' }] });
  things.postage = await written(suite, 'createAccount', { code: '699', name: 'Postage of tests', type: 'EXPENSE' });
  const accounts = (await read('getAccounts', tenant)).body.accounts;
  things.income = accounts.find((account) => account.type === 'REVENUE');
  things.bank = accounts.find((account) => account.type === 'BANK');
  const changed = await written(suite, 'updateContact', things.customer.contactID, { contacts: [{ contactID: things.customer.contactID, firstName: 'Rosa' }] });
  suite.equal([changed.name, changed.firstName], [things.customer.name, 'Rosa'], 'a change leaves the rest');
  const item = await written(suite, 'createItems', { items: [{ code: 'HOUR-T', name: 'Hour of testing' }] });
  await api.deleteItem(tenant, item.itemID);
  const gone = await refusal(suite, () => api.getItem(tenant, item.itemID), 'an item that was deleted');
  suite.equal(gone.response.statusCode, 404, 'an item that was deleted');
  await balanced(suite, 'the lists');
}

async function documents(suite) {
  const common = { date: today, dueDate: today, status: 'AUTHORISED', lineAmountTypes: 'NoTax' };
  const contact = { contactID: things.customer.contactID };
  const sale = await written(suite, 'createInvoices', { invoices: [{ ...common, type: 'ACCREC', contact, invoiceNumber: 'T-1001', lineItems: [line(200.5, things.income), line(40, things.income)] }] });
  suite.equal([sale.total, sale.amountDue, sale.lineItems.length], [240.5, 240.5, 2], 'an invoice');
  const payment = await written(suite, 'createPayment', { invoice: { invoiceID: sale.invoiceID }, account: { accountID: things.bank.accountID }, date: today, amount: 100 });
  suite.equal((await read('getInvoice', tenant, sale.invoiceID)).body.invoices[0].amountDue, 140.5, 'partly paid');
  const credit = await written(suite, 'createCreditNotes', { creditNotes: [{ ...common, type: 'ACCRECCREDIT', contact, lineItems: [line(30, things.income)] }] });
  await written(suite, 'createCreditNoteAllocation', credit.creditNoteID, { allocations: [{ amount: 20, date: today, invoice: { invoiceID: sale.invoiceID } }] });
  suite.equal((await read('getInvoice', tenant, sale.invoiceID)).body.invoices[0].amountDue, 120.5, 'a credit is allocated');
  await written(suite, 'deletePayment', payment.paymentID, { status: 'DELETED' });
  suite.equal((await read('getInvoice', tenant, sale.invoiceID)).body.invoices[0].amountDue, 220.5, 'the payment is taken back');
  const draft = await written(suite, 'createInvoices', { invoices: [{ ...common, status: 'DRAFT', type: 'ACCREC', contact, lineItems: [line(9, things.income)] }] });
  for (const status of ['AUTHORISED', 'VOIDED']) {
    const changed = await written(suite, 'updateInvoice', draft.invoiceID, { invoices: [{ invoiceID: draft.invoiceID, status }] });
    suite.equal(changed.status, status, 'from state to state');
  }
  await written(suite, 'createBankTransactions', { bankTransactions: [{ type: 'SPEND', contact, bankAccount: { accountID: things.bank.accountID }, date: today, lineAmountTypes: 'NoTax', lineItems: [line(7.5, things.postage)] }] });
  await written(suite, 'createManualJournals', { manualJournals: [{ narration: 'stamps', date: today, status: 'POSTED', lineAmountTypes: 'NoTax', journalLines: [{ lineAmount: 9.99, accountCode: things.postage.code }, { lineAmount: -9.99, accountCode: things.income.code }] }] });
  await written(suite, 'createPurchaseOrders', { purchaseOrders: [{ contact: { contactID: things.vendor.contactID }, date: today, lineItems: [line(70, things.postage)] }] });
  await written(suite, 'createQuotes', { quotes: [{ contact, date: today, lineItems: [line(999, things.income)] }] });
  await balanced(suite, 'the documents');
}

async function refusals(suite) {
  const contact = { contactID: things.customer.contactID };
  const sale = (account) => ({ type: 'ACCREC', contact, date: today, dueDate: today, status: 'AUTHORISED', lineItems: [line(5, account)] });
  const wrong = await refusal(suite, () => api.createInvoices(tenant, { invoices: [sale({ code: 'none' })] }), 'an unknown account');
  suite.equal([wrong.response.statusCode, wrong.body.ErrorNumber, wrong.body.Type], [400, 10, 'ValidationException'], 'an unknown account');
  suite.check(wrong.body.Elements[0].ValidationErrors[0].Message.length > 0, 'and why');
  const both = (await read('createInvoices', tenant, { invoices: [sale(things.income), sale({ code: 'none' })] }, false)).body.invoices;
  suite.equal(both.map((invoice) => invoice.hasErrors), [false, true], 'one by one');
  const keyed = async () => (await read('createInvoices', tenant, { invoices: [sale(things.income)] }, true, 4, 'key-of-tests')).body.invoices[0].invoiceID;
  suite.equal(await keyed(), await keyed(), 'the same key writes once');
  await balanced(suite, 'the refusals');
}

new Suite().run(lists, documents, refusals);
