// intuit-oauth for Node lives a whole OAuth life against the sandbox, and calls the accounting API with its tokens.
'use strict';

const OAuthClient = require('intuit-oauth');
const { URL: SANDBOX, REDIRECT, SECRET, call, companies, consent, control, Suite } = require('./sandbox.cjs');

// its own retries would hide the answers
OAuthClient.retryConfig.maxRetries = 0;

const { Accounting, OpenId, Profile, Email } = OAuthClient.scopes;
const SCOPES = [Accounting, OpenId, Profile, Email];

function client(options = {}) {
  const made = new OAuthClient({ clientId: 'tieout-quickbooks', clientSecret: SECRET, environment: 'sandbox', redirectUri: REDIRECT, ...options });
  made.setAuthorizeURLs({
    authorizeEndpoint: `${SANDBOX}/connect/oauth2`,
    tokenEndpoint: `${SANDBOX}/oauth2/v1/tokens/bearer`,
    revokeEndpoint: `${SANDBOX}/v2/oauth2/tokens/revoke`,
    userInfoEndpoint: `${SANDBOX}/v1/openid_connect/userinfo`,
  });
  OAuthClient.environment = { sandbox: `${SANDBOX}/`, production: `${SANDBOX}/` };
  OAuthClient.jwks_uri = `${SANDBOX}/op/v1/jwks`;
  return made;
}

async function connected(options) {
  const auth = client(options);
  await auth.createToken(await consent(auth.authorizeUri({ scope: SCOPES, state: 'state-1' })));
  return auth;
}

const companyInfo = (auth, realm = auth.getToken().realmId) => auth.makeApiCall({ url: `v3/company/${realm}/companyinfo/${realm}?minorversion=75` });

async function consentAndExchange(suite) {
  const auth = client();
  const state = 'a state/with+odd&signs=é';
  const back = await consent(auth.authorizeUri({ scope: SCOPES, state }));
  const answer = await auth.createToken(back);
  const [company] = await companies('quickbooks');
  const token = auth.getToken();
  suite.equal(token.realmId, company.id, 'realmId');
  suite.equal(token.state, state, 'state comes back unchanged');
  const fields = ['token_type', 'access_token', 'expires_in', 'refresh_token', 'x_refresh_token_expires_in', 'id_token'];
  suite.equal(Object.keys(answer.json).sort(), fields.sort(), 'the fields of the token answer');
  suite.equal([token.token_type, token.expires_in, token.x_refresh_token_expires_in], ['bearer', 3600, 8726400], 'the token');
  suite.check(/^1-[0-9a-f]{8}-[0-9a-f]{24}$/.test(answer.getIntuitTid()), 'intuit_tid', answer.getIntuitTid());
  suite.equal(await auth.validateIdToken(), true, 'the id_token is valid');
  const again = await suite.refused(() => client().createToken(back), 'a code is exchanged once');
  suite.equal(again.error, 'invalid_grant', 'a used code');
  const other = client({ clientSecret: 'wrong' });
  const wrong = await suite.refused(async () => other.createToken(await consent(other.authorizeUri({ scope: SCOPES }))), 'a wrong secret');
  suite.equal(wrong.error, 'invalid_client', 'a wrong secret');
  const denied = new URL(await consent(auth.authorizeUri({ scope: SCOPES, state: 's' }), { answer: 'deny' }));
  suite.equal([denied.searchParams.get('error'), denied.searchParams.get('state')], ['access_denied', 's'], 'the person refuses');
}

async function apiCalls(suite) {
  const auth = await connected();
  const person = (await auth.getUserInfo()).json;
  suite.check(person.sub && person.email && person.givenName && person.familyName && person.emailVerified === true, 'user info', person);
  const info = await companyInfo(auth);
  suite.equal(info.json.CompanyInfo.CompanyName, (await companies('quickbooks'))[0].name, 'the company');
  const realm = auth.getToken().realmId;
  const query = encodeURIComponent('select * from Invoice maxresults 5');
  const rows = await auth.makeApiCall({ url: `${SANDBOX}/v3/company/${realm}/query?query=${query}&minorversion=75` });
  suite.equal(rows.json.QueryResponse.Invoice.length, 5, 'a query');
  const missing = await suite.refused(() => auth.makeApiCall({ url: `v3/company/${realm}/invoice/999999999` }), 'an unknown id');
  suite.equal([missing.faultType, missing.fault?.errors?.[0]?.code], ['ValidationFault', '610'], 'an unknown id');
  await control('POST', 'faults', { face: 'quickbooks', fault: { kind: 'rate_limit', problem: 'minute' } });
  const limited = await suite.refused(() => companyInfo(auth), 'a throttled call');
  suite.check(/Rate limit exceeded/.test(limited.message), 'a throttled call', limited.message);
  const strange = await suite.refused(() => companyInfo(auth, '9130000000000001'), 'a company of others');
  suite.check(['401', '403'].includes(String(strange.code)) || /40[13]/.test(strange.message + strange.code), 'a company of others', String(strange.code));
}

async function refreshAndRotation(suite) {
  const auth = await connected();
  const first = { ...auth.getToken() };
  await auth.refresh();
  const second = { ...auth.getToken() };
  suite.check(second.access_token !== first.access_token, 'each refresh brings a new access token');
  suite.equal(second.refresh_token, first.refresh_token, 'within a day the refresh token stays');
  const hard = await connected({ includeRefreshTokenHardExpiresIn: true });
  const told = (await hard.refresh()).json;
  suite.check(told.x_refresh_token_hard_expires_in > 100_000_000, 'the absolute end is told when asked for', told.x_refresh_token_hard_expires_in);
  suite.check(!('x_refresh_token_hard_expires_in' in (await (await connected()).refresh()).json), 'and not otherwise');
  const kept = await connected();
  const before = kept.getToken().refresh_token;
  await control('POST', 'clock', { advance_secs: 25 * 3600 });
  const expired = await suite.refused(() => companyInfo(kept), 'an access token of a day');
  suite.check(/401/.test(`${expired.code} ${expired.message} ${expired.description}`), 'an access token of a day', String(expired.code));
  await kept.refresh();
  suite.check(kept.getToken().refresh_token !== before, 'after a day a refresh brings a new refresh token');
  const late = await suite.refused(() => client().refreshUsingToken(before), 'the refresh token before');
  suite.equal(late.error, 'invalid_grant', 'the refresh token before');
  suite.equal((await companyInfo(kept)).status, 200, 'the new access token opens the company');
}

async function revocation(suite) {
  for (const which of ['refresh_token', 'access_token']) {
    const auth = await connected();
    const token = { ...auth.getToken() };
    const answer = await auth.revoke({ [which]: token[which] });
    suite.equal([answer.status ? Number(answer.status()) : answer.response.status, answer.body || ''], [200, ''], `revoking by the ${which}`);
    const gone = await suite.refused(() => client().refreshUsingToken(token.refresh_token), `a refresh after revoking by the ${which}`);
    suite.equal(gone.error, 'invalid_grant', `a refresh after revoking by the ${which}`);
    const headers = { authorization: `Bearer ${token.access_token}`, accept: 'application/json' };
    const closed = await call('GET', `${SANDBOX}/v3/company/${token.realmId}/companyinfo/${token.realmId}`, { headers });
    suite.equal(closed.status, 401, `the company after revoking by the ${which}`);
  }
}

new Suite().run(consentAndExchange, apiCalls, revocation, refreshAndRotation);
