// xero-node reads every resource, by every way it has, and loses nothing: lists, pages, single reads, filters, changes, journals, reports.
'use strict';

const { DROPPED, api, read, refusal, signIn } = require('./xero_library.cjs');
const { control, Suite } = require('./sandbox.cjs');

// List call with its parameters for a page, key in the envelope, single call, field of the id.
const none = () => [];
const RESOURCES = [
  ['getAccounts', none, 'Accounts', 'getAccount', 'AccountID'],
  ['getBankTransactions', (page) => [, , , page, , 200], 'BankTransactions', 'getBankTransaction', 'BankTransactionID'],
  ['getBankTransfers', none, 'BankTransfers', 'getBankTransfer', 'BankTransferID'],
  ['getBatchPayments', none, 'BatchPayments', 'getBatchPayment', 'BatchPaymentID'],
  ['getBrandingThemes', none, 'BrandingThemes', 'getBrandingTheme', 'BrandingThemeID'],
  ['getBudgets', none, 'Budgets', 'getBudget', 'BudgetID'],
  ['getContactGroups', none, 'ContactGroups', 'getContactGroup', 'ContactGroupID'],
  ['getContacts', (page) => [, , , , page, , , , 200], 'Contacts', 'getContact', 'ContactID'],
  ['getCreditNotes', (page) => [, , , page, , 200], 'CreditNotes', 'getCreditNote', 'CreditNoteID'],
  ['getCurrencies', none, 'Currencies', null, 'Code'],
  ['getInvoices', (page) => [, , , , , , , page, , , , , 200], 'Invoices', 'getInvoice', 'InvoiceID'],
  ['getItems', none, 'Items', 'getItem', 'ItemID'],
  ['getJournals', none, 'Journals', 'getJournal', 'JournalID'],
  ['getLinkedTransactions', none, 'LinkedTransactions', 'getLinkedTransaction', 'LinkedTransactionID'],
  ['getManualJournals', (page) => [, , , page, 200], 'ManualJournals', 'getManualJournal', 'ManualJournalID'],
  ['getOrganisations', none, 'Organisations', null, 'OrganisationID'],
  ['getOverpayments', (page) => [, , , page], 'Overpayments', 'getOverpayment', 'OverpaymentID'],
  ['getPayments', (page) => [, , , page, 200], 'Payments', 'getPayment', 'PaymentID'],
  ['getPrepayments', (page) => [, , , page], 'Prepayments', 'getPrepayment', 'PrepaymentID'],
  ['getPurchaseOrders', (page) => [, , , , , page], 'PurchaseOrders', 'getPurchaseOrder', 'PurchaseOrderID'],
  ['getQuotes', none, 'Quotes', 'getQuote', 'QuoteID'],
  ['getRepeatingInvoices', none, 'RepeatingInvoices', 'getRepeatingInvoice', 'RepeatingInvoiceID'],
  ['getTaxRates', none, 'TaxRates', 'getTaxRateByTaxType', 'TaxType'],
  ['getTrackingCategories', none, 'TrackingCategories', 'getTrackingCategory', 'TrackingCategoryID'],
  ['getUsers', none, 'Users', 'getUser', 'UserID'],
];

// Resources that the books of the sandbox surely hold.
const HELD = RESOURCES.map(([, , key]) => key);

let tenants;

async function begin() {
  tenants = await signIn();
}

async function lists(suite) {
  const held = {};
  for (const tenant of tenants) {
    for (const [method, parameters, key, single, identity] of RESOURCES) {
      const rows = new Map();
      for (let page = 1; ; page += 1) {
        const last = Math.max(0, ...[...rows.values()].map((row) => row.JournalNumber ?? 0));
        let answer;
        try {
          answer = key === 'Journals' ? await read(method, tenant, undefined, last) : await read(method, tenant, ...parameters(page));
        } catch (refused) {
          suite.equal(JSON.parse(refused).response.statusCode, 404, `${key} is not offered`);
          break;
        }
        const { sent, kept } = answer;
        suite.records += sent[key].length;
        suite.faithful(sent[key], kept[key], key, DROPPED);
        for (const row of sent[key]) rows.set(row[identity], row);
        if (sent.pagination) {
          suite.faithful(sent.pagination, kept.pagination, `${key} pagination`);
          suite.equal(sent.pagination.page, page, `${key}: the page`);
          if (page >= sent.pagination.pageCount) {
            suite.equal(sent.pagination.itemCount, rows.size, `${key}: all pages together`);
            break;
          }
        } else if (key !== 'Journals' || sent[key].length === 0) {
          break;
        }
      }
      held[key] = (held[key] ?? 0) + rows.size;
      const ids = [...rows.keys()];
      for (const id of single ? [...ids.slice(0, 3), ...ids.slice(-3)] : []) {
        const { sent, kept } = await read(single, tenant, id);
        suite.records += 1;
        suite.equal(sent[key].map((row) => row[identity]), [id], `${key}: the one that was asked for`);
        suite.faithful(sent[key], kept[key], `${key} alone`, DROPPED);
      }
    }
  }
  suite.equal(HELD.filter((key) => !held[key]), [], 'the books hold everything they should');
  console.log('held by the sandbox: ' + Object.entries(held).filter(([, count]) => count).map((entry) => entry.join(' ')).join(', '));
}

async function filters(suite) {
  const [tenant] = tenants;
  const bills = await read('getInvoices', tenant, undefined, 'Type=="ACCPAY" AND Status=="AUTHORISED"', 'Date DESC', undefined, undefined, undefined, undefined, 1);
  const days = bills.body.invoices.map((invoice) => +new Date(invoice.date));
  suite.check(days.length > 1 && days.every((day, place) => place === 0 || day <= days[place - 1]), 'where and order');
  const some = bills.body.invoices.slice(0, 3).map((invoice) => invoice.invoiceID);
  const chosen = await read('getInvoices', tenant, undefined, undefined, undefined, some);
  suite.equal(chosen.body.invoices.map((invoice) => invoice.invoiceID).sort(), [...some].sort(), 'by ids');
  const states = await read('getInvoices', tenant, undefined, undefined, undefined, undefined, undefined, undefined, ['PAID', 'VOIDED'], 1);
  suite.check(states.body.invoices.every((invoice) => ['PAID', 'VOIDED'].includes(invoice.status)), 'by status');
  const summary = await read('getInvoices', tenant, ...Array(11).fill(undefined), true);
  suite.check(summary.sent.Invoices.length > 0 && summary.sent.Invoices.every((invoice) => !('LineItems' in invoice)), 'a summary has no lines');
}

async function changes(suite) {
  const [tenant] = tenants;
  const now = new Date((await control('GET', 'clock')).now);
  now.setMilliseconds(0);
  await control('POST', 'clock', { advance_secs: 5 });
  const [invoice] = (await control('GET', `companies/${tenant}/documents?kind=invoice&limit=1`)).documents;
  await control('POST', `companies/${tenant}/documents/${invoice.id}/edit`, { memo: 'touched' });
  for (const [method, key] of [['getAccounts', 'Accounts'], ['getBankTransactions', 'BankTransactions'], ['getContacts', 'Contacts'], ['getInvoices', 'Invoices'], ['getPayments', 'Payments']]) {
    // the library sends the time with milliseconds and a Z
    const { sent } = await read(method, tenant, now);
    suite.equal(sent[key].length, key === 'Invoices' ? 1 : 0, `${key} that changed`);
  }
}

async function reports(suite) {
  const [tenant] = tenants;
  const contact = (await read('getContacts', tenant, undefined, undefined, undefined, undefined, 1)).body.contacts[0].contactID;
  const offered = [];
  for (const [method, ...parameters] of [
    ['getReportTrialBalance', '2026-06-30'],
    ['getReportTrialBalance', '2026-06-30', true],
    ['getReportProfitAndLoss', '2026-06-01', '2026-06-30', 3, 'MONTH'],
    ['getReportBalanceSheet', '2026-06-30', 2, 'MONTH'],
    ['getReportBankSummary', '2026-06-01', '2026-06-30'],
    ['getReportExecutiveSummary', '2026-06-30'],
    ['getReportBudgetSummary', '2026-06-30'],
    ['getReportAgedPayablesByContact', contact],
    ['getReportAgedReceivablesByContact', contact],
  ]) {
    try {
      const { sent, kept, body } = await read(method, tenant, ...parameters);
      suite.faithful(sent.Reports, kept.Reports, method, DROPPED);
      suite.equal(body.reports[0].reportTitles, sent.Reports[0].ReportTitles, `${method}: its titles`);
      suite.check(body.reports[0].rows.length > 0, `${method} has rows`);
      suite.records += body.reports[0].rows.length;
      offered.push(method);
    } catch (refused) {
      if (typeof refused !== 'string') throw refused;
      suite.equal(JSON.parse(refused).response.statusCode, 404, `${method} is not offered`);
    }
  }
  suite.check(offered.length >= 4, 'the reports that prove a copy', offered);
}

async function refusals(suite) {
  const [tenant] = tenants;
  const other = '00000000-0000-4000-8000-000000000000';
  suite.equal((await refusal(suite, () => api.getInvoice(tenant, other), 'an unknown id')).response.statusCode, 404, 'an unknown id');
  const bad = await refusal(suite, () => api.getInvoices(tenant, undefined, 'Nonsense ~ 4'), 'a bad where');
  suite.equal([bad.response.statusCode, bad.body.ErrorNumber, bad.body.Type], [400, 16, 'QueryParseException'], 'a bad where');
  const stranger = await refusal(suite, () => api.getOrganisations(other), 'a company of others');
  suite.equal([stranger.response.statusCode, stranger.body.Detail], [403, 'AuthenticationUnsuccessful'], 'a company of others');
  await control('POST', 'limits', { enforced: true, reset: true });
  await control('POST', 'clock', { freeze: (await control('GET', 'clock')).now });
  for (let asked = 0; asked < 60; asked += 1) await api.getOrganisations(tenant);
  const limited = await refusal(suite, () => api.getOrganisations(tenant), 'the 61st call in a minute');
  suite.equal([limited.response.statusCode, limited.response.headers['x-rate-limit-problem']], [429, 'minute'], 'the 61st call in a minute');
  await control('POST', 'clock', { advance_secs: 61 });
  await api.getOrganisations(tenant);
  await control('POST', 'limits', { enforced: false });
  await control('POST', 'tokens/expire');
  const expired = await refusal(suite, () => api.getOrganisations(tenant), 'an expired token');
  suite.equal([expired.response.statusCode, expired.body.Title], [401, 'Unauthorized'], 'an expired token');
}

new Suite().run(begin, lists, filters, changes, reports, refusals);
