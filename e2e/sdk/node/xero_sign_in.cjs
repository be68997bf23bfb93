// xero-node lives a whole OAuth life under Xero's own host names, which it cannot be told to change.
'use strict';

const { asked } = require('./providers_names.cjs');
const { XeroClient } = require('xero-node');
const { URL: SANDBOX, REDIRECT, SECRET, companies, consent, control, Suite } = require('./sandbox.cjs');

const SCOPES = 'openid profile email offline_access accounting.settings accounting.contacts accounting.transactions'.split(' ');

const client = (options = {}) => new XeroClient({ clientId: 'tieout-xero', clientSecret: SECRET, redirectUris: [REDIRECT], scopes: SCOPES, state: 'state-1', httpTimeout: 60_000, ...options });

/** The person's browser is at the sandbox's plain address. */
const browser = (address) => address.replace('https://login.xero.com', SANDBOX);

async function connected(options) {
  const xero = client(options);
  await xero.apiCallback(await consent(browser(await xero.buildConsentUrl())));
  return xero;
}

async function consentAndExchange(suite) {
  const xero = client();
  const address = await xero.buildConsentUrl();
  suite.check(address.startsWith('https://login.xero.com/identity/connect/authorize?'), 'the consent page', address);
  const back = await consent(browser(address));
  // the library checks state, issuer, audience, expiry, at_hash and the signature of the id_token
  const asked = Date.now();
  const tokens = await xero.apiCallback(back);
  // the library counts the seconds down
  const past = Math.ceil((Date.now() - asked) / 1000);
  suite.equal([tokens.token_type, tokens.expires_in >= 1799 - past && tokens.expires_in <= 1800], ['Bearer', true], 'the token answer');
  suite.check(tokens.access_token && tokens.refresh_token && tokens.id_token, 'all three tokens');
  const claims = tokens.claims();
  suite.equal([claims.iss, claims.aud], ['https://identity.xero.com', 'tieout-xero'], 'the id_token');
  suite.check(claims.email && claims.given_name && claims.family_name && claims.xero_userid && claims.sid, 'who signed in', claims);
  const access = JSON.parse(Buffer.from(tokens.access_token.split('.')[1], 'base64url'));
  suite.equal(access.scope.sort(), [...SCOPES].sort(), 'the scopes of the access token');
  const [state, replayed] = [await suite.refused(() => client({ state: 'another' }).apiCallback(back), 'another state'), await suite.refused(() => xero.apiCallback(back), 'a code twice')];
  suite.check(/state mismatch/.test(state.message), 'another state', state.message);
  suite.equal(replayed.error, 'invalid_grant', 'a code twice');
  const denied = await suite.refused(async () => xero.apiCallback(await consent(browser(address), { answer: 'deny' })), 'the person refuses');
  suite.equal(denied.error, 'access_denied', 'the person refuses');
  const userinfo = await xero.openIdClient.userinfo(tokens);
  suite.equal(userinfo.email, claims.email, 'user info');
}

async function connections(suite) {
  const xero = await connected();
  const known = await companies('xero');
  const tenants = await xero.updateTenants();
  suite.equal(tenants.map((tenant) => tenant.tenantId).sort(), known.map((company) => company.id).sort(), 'every company');
  for (const tenant of tenants) {
    suite.records += 1;
    suite.equal([tenant.tenantType, tenant.orgData.organisationID], ['ORGANISATION', tenant.tenantId], 'a company and its organisation');
    suite.equal(tenant.orgData.name, known.find((company) => company.id === tenant.tenantId).name, 'its name');
    const accounts = await xero.accountingApi.getAccounts(tenant.tenantId);
    suite.check(accounts.body.accounts.length > 10, 'its accounts');
    suite.records += accounts.body.accounts.length;
  }
  await xero.disconnect(tenants[0].id);
  suite.equal((await xero.updateTenants(false)).length, known.length - 1, 'one is disconnected');
  const refused = await suite.refused(() => xero.accountingApi.getAccounts(tenants[0].tenantId), 'the company that is disconnected');
  suite.equal(JSON.parse(refused).response.statusCode, 403, 'the company that is disconnected');
}

async function refreshAndRotation(suite) {
  const xero = await connected();
  const [tenant] = (await companies('xero')).map((company) => company.id);
  const first = { ...xero.readTokenSet() };
  const second = { ...(await xero.refreshToken()) };
  suite.check(second.access_token !== first.access_token && second.refresh_token !== first.refresh_token, 'both tokens are new');
  const third = await client().refreshWithRefreshToken('tieout-xero', SECRET, second.refresh_token);
  suite.check(third.refresh_token !== second.refresh_token, 'refreshing by the token itself');
  xero.setTokenSet(third);
  suite.equal((await xero.accountingApi.getOrganisations(tenant)).body.organisations.length, 1, 'the new token opens the company');
  await control('POST', 'tokens/expire');
  suite.equal(JSON.parse(await suite.refused(() => xero.accountingApi.getOrganisations(tenant), 'an expired token')).response.statusCode, 401, 'an expired token');
  await xero.refreshToken();
  await xero.accountingApi.getOrganisations(tenant);
  await control('POST', 'clock', { advance_secs: 31 * 60 });
  const late = await suite.refused(() => client().refreshWithRefreshToken('tieout-xero', SECRET, second.refresh_token), 'a refresh token of long ago');
  suite.equal(late.response?.data?.error, 'invalid_grant', 'a refresh token of long ago');
}

async function custom(suite) {
  const xero = client({ grantType: 'client_credentials', scopes: undefined });
  const tokens = await xero.getClientCredentialsToken();
  suite.check(tokens.access_token && !tokens.refresh_token, 'a custom connection');
  const organisation = await xero.accountingApi.getOrganisations('');
  suite.equal(organisation.body.organisations.length, 1, 'it needs no tenant');
}

async function revocation(suite) {
  const xero = await connected();
  const refresh = xero.readTokenSet().refresh_token;
  await xero.revokeToken();
  const gone = await suite.refused(() => client().refreshWithRefreshToken('tieout-xero', SECRET, refresh), 'a refresh after revoking');
  suite.equal(gone.response?.data?.error, 'invalid_grant', 'a refresh after revoking');
}

async function names(suite) {
  suite.equal([...asked].sort(), ['api.xero.com', 'identity.xero.com'], 'the names that were asked for');
}

new Suite().run(consentAndExchange, connections, custom, revocation, refreshAndRotation, names);
