// node-quickbooks reads every entity, by every way it has, and loses nothing: lists, all pages, single reads, criteria, changes, reports.
'use strict';

const { promisify } = require('node:util');

const { ask, rawQuery, signIn } = require('./quickbooks_library.cjs');
const { URL: SANDBOX, call, companies, control, Suite } = require('./sandbox.cjs');

// List call, name, single call, whether the list is filtered by `Active`.
const ENTITIES = [
  ['findAccounts', 'Account', 'getAccount', true],
  ['findAttachables', 'Attachable', 'getAttachable', false],
  ['findBills', 'Bill', 'getBill', false],
  ['findBillPayments', 'BillPayment', 'getBillPayment', false],
  ['findBudgets', 'Budget', null, false],
  ['findClasses', 'Class', 'getClass', true],
  ['findCompanyInfos', 'CompanyInfo', 'getCompanyInfo', false],
  ['findCompanyCurrencies', 'CompanyCurrency', 'getCompanyCurrency', false],
  ['findCreditMemos', 'CreditMemo', 'getCreditMemo', false],
  ['findCustomers', 'Customer', 'getCustomer', true],
  ['findDepartments', 'Department', 'getDepartment', true],
  ['findDeposits', 'Deposit', 'getDeposit', false],
  ['findEmployees', 'Employee', 'getEmployee', true],
  ['findEstimates', 'Estimate', 'getEstimate', false],
  ['findInvoices', 'Invoice', 'getInvoice', false],
  ['findItems', 'Item', 'getItem', true],
  ['findJournalEntries', 'JournalEntry', 'getJournalEntry', false],
  ['findPayments', 'Payment', 'getPayment', false],
  ['findPaymentMethods', 'PaymentMethod', 'getPaymentMethod', true],
  ['findPreferenceses', 'Preferences', null, false],
  ['findPurchases', 'Purchase', 'getPurchase', false],
  ['findPurchaseOrders', 'PurchaseOrder', 'getPurchaseOrder', false],
  ['findRefundReceipts', 'RefundReceipt', 'getRefundReceipt', false],
  ['findSalesReceipts', 'SalesReceipt', 'getSalesReceipt', false],
  ['findTaxAgencies', 'TaxAgency', 'getTaxAgency', false],
  ['findTaxCodes', 'TaxCode', 'getTaxCode', true],
  ['findTaxRates', 'TaxRate', 'getTaxRate', true],
  ['findTerms', 'Term', 'getTerm', true],
  ['findTimeActivities', 'TimeActivity', 'getTimeActivity', false],
  ['findTransfers', 'Transfer', 'getTransfer', false],
  ['findVendors', 'Vendor', 'getVendor', true],
  ['findVendorCredits', 'VendorCredit', 'getVendorCredit', false],
  ['findExchangeRates', 'ExchangeRate', null, false],
];

// Entities that the books of the sandbox surely hold; the others may be empty.
const HELD = ['Account', 'Attachable', 'Bill', 'BillPayment', 'Budget', 'Class', 'CompanyInfo', 'CreditMemo', 'Customer', 'Department', 'Deposit',
  'Employee', 'Estimate', 'Invoice', 'Item', 'JournalEntry', 'Payment', 'PaymentMethod', 'Preferences', 'Purchase', 'PurchaseOrder', 'RefundReceipt',
  'SalesReceipt', 'TaxAgency', 'TaxCode', 'TaxRate', 'Term', 'TimeActivity', 'Transfer', 'Vendor', 'VendorCredit'];

const WITHOUT_CDC = ['Attachable', 'CompanyInfo', 'CompanyCurrency', 'ExchangeRate', 'Preferences', 'TaxAgency', 'TaxCode', 'TaxRate', 'TimeActivity'];

let library;
let realm;

async function begin() {
  ({ library, realm } = await signIn());
}

async function lists(suite) {
  const held = {};
  // the address of a file tells when it ends: two readings of one record are the same only at one moment
  const { now } = await control('GET', 'clock');
  await control('POST', 'clock', { freeze: now });
  for (const [find, name, get, filtered] of ENTITIES) {
    // the library asks for page after page until one is not full
    const criteria = [{ field: 'fetchAll', value: true }, { field: 'limit', value: 100 }, { field: 'asc', value: 'Id' }];
    if (filtered) criteria.push({ field: 'Active', value: [true, false], operator: 'IN' });
    const single = ['CompanyInfo', 'Preferences', 'ExchangeRate'].includes(name);
    const found = await ask(find, single ? { limit: 100 } : criteria);
    const rows = found.QueryResponse[name] ?? [];
    held[name] = rows.length;
    const where = filtered ? ' where Active in (true, false)' : '';
    const sent = [];
    while (sent.length % 1000 === 0) {
      const page = (await rawQuery(`select * from ${name}${where}${single ? '' : ' orderby Id'} startposition ${sent.length + 1} maxresults 1000`))[name] ?? [];
      sent.push(...page);
      if (page.length === 0) break;
    }
    suite.faithful(sent, rows, name);
    suite.records += rows.length;
    suite.equal(new Set(rows.map((row) => row.Id)).size, single ? Math.min(rows.length, 1) : rows.length, `${name}: no row twice`);
    if (!single) {
      const count = await ask(find, filtered ? [{ count: true }, { field: 'Active', value: [true, false], operator: 'IN' }] : { count: true });
      suite.equal(count.QueryResponse.totalCount ?? 0, rows.length, `${name}: the count`);
    }
    for (const row of get ? [...rows.slice(0, 3), ...rows.slice(-3)] : []) {
      const alone = await ask(get, row.Id);
      suite.records += 1;
      suite.faithful(row, alone, `${name} in a list and read alone`);
    }
  }
  await control('POST', 'clock', { run_from: now });
  const empty = HELD.filter((name) => !held[name]);
  suite.equal(empty, [], 'the books hold everything they should');
  suite.check(held.Invoice > 300, 'more than three pages of invoices', held.Invoice);
  console.log('held by the sandbox: ' + Object.entries(held).filter(([, count]) => count).map((entry) => entry.join(' ')).join(', '));
}

async function criteria(suite) {
  const everyone = (await ask('findCustomers', { Active: true, limit: 1000 })).QueryResponse.Customer;
  const [first] = everyone;
  const named = (await ask('findCustomers', { DisplayName: first.DisplayName })).QueryResponse.Customer;
  suite.equal(named.map((one) => one.Id), [first.Id], 'by name');
  const like = (await ask('findCustomers', [{ field: 'DisplayName', value: `${first.DisplayName.slice(0, 3)}%`, operator: 'LIKE' }])).QueryResponse.Customer;
  suite.check(like.some((one) => one.Id === first.Id), 'LIKE with a beginning');
  const two = (await ask('findCustomers', [{ field: 'Id', value: [everyone[0].Id, everyone[1].Id], operator: 'IN' }])).QueryResponse.Customer;
  suite.equal(two.length, 2, 'by ids');
  const some = (await ask('findInvoices', [{ field: 'TxnDate', value: '2026-01-01', operator: '>' }, { field: 'TotalAmt', value: 100, operator: '>' }, { desc: 'MetaData.LastUpdatedTime' }, { field: 'limit', value: 50 }])).QueryResponse.Invoice;
  suite.check(some.length > 0 && some.every((one) => one.TxnDate > '2026-01-01' && one.TotalAmt > 100), 'by date and amount');
  const none = await ask('findInvoices', { DocNumber: 'no such number' });
  suite.equal(none.QueryResponse, {}, 'none of that number');
  const apostrophe = await ask('findCustomers', { DisplayName: "Nobody's Name" });
  suite.equal(apostrophe.QueryResponse, {}, 'an apostrophe in a value');
  const bare = await ask('findInvoices', " where TotalAmt > '300.00' maxresults 7");
  suite.check(bare.QueryResponse.maxResults <= 7, 'a statement of the caller');
}

async function refusals(suite) {
  const missing = await suite.refused(() => ask('getInvoice', '999999999'), 'an unknown id');
  suite.equal([missing.status, missing.error?.response?.data?.Fault?.Error?.[0]?.code], [400, '610'], 'an unknown id');
  const bad = await suite.refused(() => ask('findInvoices', { Colour: 'red' }), 'an unknown property');
  suite.check(/40[0-9][0-9]|400/.test(JSON.stringify(bad.error?.response?.data ?? bad.error?.message ?? '')), 'an unknown property', String(bad.error?.message));
  await control('POST', 'faults', { face: 'quickbooks', fault: { kind: 'rate_limit', problem: 'minute' } });
  const limited = await suite.refused(() => ask('getCompanyInfo', realm), 'a throttled call');
  suite.equal(limited.status, 429, 'a throttled call');
  await control('POST', 'faults', { face: 'quickbooks', fault: { kind: 'status', status: 503 } });
  suite.equal((await suite.refused(() => ask('getCompanyInfo', realm), 'out of order')).status, 503, 'out of order');
}

async function changes(suite) {
  const now = new Date((await control('GET', 'clock')).now);
  await control('POST', 'clock', { advance_secs: 5 });
  const [bill] = (await control('GET', `companies/${realm}/documents?kind=bill&limit=1`)).documents;
  await control('POST', `companies/${realm}/documents/${bill.id}/delete`, {});
  const names = ENTITIES.map(([, name]) => name).filter((name) => !WITHOUT_CDC.includes(name));
  const groups = (await ask('changeDataCapture', names, now)).CDCResponse[0].QueryResponse;
  suite.equal(groups.length, names.length, 'one group for each entity');
  const told = groups.flatMap((group) => group.Bill ?? []).find((one) => one.Id === String(bill.id));
  suite.equal([told?.status, told?.domain], ['Deleted', 'QBO'], 'the deleted bill');
  // the library leaves the plus of a time zone as it is
  const zoned = now.toISOString().replace('Z', '+00:00');
  suite.equal((await ask('changeDataCapture', 'Bill', zoned)).CDCResponse[0].QueryResponse.length, 1, 'a time with a bare plus');
}

async function reports(suite) {
  const year = { start_date: '2025-01-01', end_date: '2025-12-31', accounting_method: 'Accrual' };
  const absent = [];
  // the first four prove a copy and are always there
  for (const [method, name] of [['reportTrialBalance', 'TrialBalance'], ['reportProfitAndLoss', 'ProfitAndLoss'], ['reportBalanceSheet', 'BalanceSheet'],
    ['reportGeneralLedgerDetail', 'GeneralLedger'], ['reportProfitAndLossDetail', 'ProfitAndLossDetail'], ['reportCashFlow', 'CashFlow'],
    ['reportJournalReport', 'JournalReport'], ['reportAccountListDetail', 'AccountList'], ['reportTransactionList', 'TransactionList'],
    ['reportTransactionListByCustomer', 'TransactionList'], ['reportTransactionListByVendor', 'TransactionList'], ['reportAgedReceivables', 'AgedReceivables'],
    ['reportAgedReceivableDetail', 'AgedReceivableDetail'], ['reportAgedPayables', 'AgedPayables'], ['reportAgedPayableDetail', 'AgedPayableDetail'],
    ['reportCustomerBalance', 'CustomerBalance'], ['reportCustomerBalanceDetail', 'CustomerBalanceDetail'], ['reportVendorBalance', 'VendorBalance'],
    ['reportVendorBalanceDetail', 'VendorBalanceDetail'], ['reportCustomerIncome', 'CustomerIncome'], ['reportCustomerSales', 'CustomerSales'],
    ['reportVendorExpenses', 'VendorExpenses'], ['reportItemSales', 'ItemSales'], ['reportClassSales', 'ClassSales'], ['reportDepartmentSales', 'DepartmentSales']]) {
    let report;
    try {
      report = await ask(method, year);
    } catch (refused) {
      suite.equal(refused.error?.response?.data?.Fault?.Error?.[0]?.code, '500', `${name}: not offered`);
      absent.push(name);
      continue;
    }
    suite.equal(Object.keys(report), ['Header', 'Columns', 'Rows'], `${name}: its parts`);
    suite.check(report.Header.ReportName.startsWith(name), `${name}: its name`, report.Header.ReportName);
    const width = report.Columns.Column.length;
    const every = (rows) => (rows.Row ?? []).flatMap((row) => [row.ColData, row.Header?.ColData, row.Summary?.ColData, ...(row.Rows ? every(row.Rows) : [])].filter(Boolean));
    const rows = every(report.Rows);
    suite.records += rows.length;
    suite.check(rows.every((row) => row.length === width), `${name}: every row has ${width} cells`);
    suite.check(rows.length > 0, `${name} has rows`);
  }
  suite.check(!absent.some((name) => ['TrialBalance', 'ProfitAndLoss', 'BalanceSheet', 'GeneralLedger'].includes(name)), 'the reports that prove a copy', absent);
  console.log('reports not offered: ' + (absent.join(', ') || 'none'));
}

async function batches(suite) {
  const items = [{ bId: 'a', Query: 'select * from Invoice maxresults 3' }, { bId: 'b', Query: 'select * from Nothing' }];
  const answer = await ask('batch', items);
  const [good, bad] = answer.BatchItemResponse;
  suite.equal([good.bId, good.QueryResponse?.Invoice?.length, bad.bId, bad.Fault?.type], ['a', 3, 'b', 'ValidationFault'], 'a batch of two queries');
}

async function grants(suite) {
  const person = await ask('getUserInfo');
  suite.check(person.email && person.givenName, 'user info', person);
  const before = library.token;
  await promisify(library.refreshAccessToken.bind(library))();
  suite.check(library.token !== before, 'a new access token');
  const info = await ask('getCompanyInfo', realm);
  suite.equal(info.CompanyName, (await companies('quickbooks'))[0].name, 'the company');
  const old = library.token;
  await promisify(library.revokeAccess.bind(library))(true);
  suite.equal([library.token, library.refreshToken], [null, null], 'revoked');
  const headers = { authorization: `Bearer ${old}`, accept: 'application/json' };
  suite.equal((await call('GET', `${SANDBOX}/v3/company/${realm}/companyinfo/${realm}`, { headers })).status, 401, 'the company after revoking');
}

new Suite().run(begin, lists, criteria, refusals, changes, reports, batches, grants);
