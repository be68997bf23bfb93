// node-quickbooks pointed at the sandbox, with a person's consent for the first company.
'use strict';

const QuickBooks = require('node-quickbooks');
const { URL: SANDBOX, REDIRECT, SECRET, call, consent } = require('./sandbox.cjs');

QuickBooks.V3_ENDPOINT_BASE_URL = `${SANDBOX}/v3/company/`;
QuickBooks.TOKEN_URL = `${SANDBOX}/oauth2/v1/tokens/bearer`;
QuickBooks.REVOKE_URL = `${SANDBOX}/v2/oauth2/tokens/revoke`;
QuickBooks.USER_INFO_URL = `${SANDBOX}/v1/openid_connect/userinfo`;
QuickBooks.AUTHORIZATION_URL = `${SANDBOX}/connect/oauth2?client_id=`;

let library;
let token;
let realm;

/** A call of the library: its answer, or its error with status and body. */
function ask(method, ...parameters) {
  return new Promise((resolve, reject) => {
    library[method](...parameters, (error, body, answer) => {
      if (error) reject(Object.assign(new Error(`${method} was refused`), { body, status: answer?.status ?? error.response?.status, error }));
      else resolve(body);
    });
  });
}

/** The same question without the library. */
async function raw(path) {
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
  const answer = await call('GET', `${SANDBOX}/v3/company/${realm}/${path}`, { headers });
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text);
}

const rawQuery = async (statement) => (await raw(`query?query=${encodeURIComponent(statement)}&minorversion=75`)).QueryResponse;

async function signIn() {
  const asked = new URLSearchParams({ client_id: 'tieout-quickbooks', response_type: 'code', scope: 'com.intuit.quickbooks.accounting openid email profile', redirect_uri: REDIRECT, state: 's' });
  const back = new URL(await consent(`${SANDBOX}/connect/oauth2?${asked}`));
  const basic = 'Basic ' + Buffer.from(`tieout-quickbooks:${SECRET}`).toString('base64');
  const body = new URLSearchParams({ grant_type: 'authorization_code', code: back.searchParams.get('code'), redirect_uri: REDIRECT });
  const answer = await call('POST', QuickBooks.TOKEN_URL, { body, headers: { authorization: basic, accept: 'application/json' } });
  const grant = JSON.parse(answer.text);
  realm = back.searchParams.get('realmId');
  token = grant.access_token;
  library = new QuickBooks('tieout-quickbooks', SECRET, token, false, realm, true, false, 75, '2.0', grant.refresh_token);
  return { library, realm };
}

module.exports = { ask, rawQuery, signIn };
