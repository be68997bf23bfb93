"""intuit-oauth lives a whole OAuth life against the sandbox: consent, exchange, identity, refresh, rotation, revocation, and every refusal."""

import json

from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError

from sandbox import REDIRECT, SECRET, URL, Suite, call, companies, consent, control

DISCOVERY = URL + "/.well-known/openid_configuration"
SCOPES = [Scopes.ACCOUNTING, Scopes.OPENID, Scopes.PROFILE, Scopes.EMAIL, Scopes.PHONE, Scopes.ADDRESS]


def client(secret=SECRET, redirect=REDIRECT):
    return AuthClient("tieout-quickbooks", secret, redirect, DISCOVERY)


def connect(company=None, scopes=SCOPES):
    auth = client()
    back = consent(auth.get_authorization_url(scopes), company=company)
    auth.get_bearer_token(back["code"], realm_id=back.get("realmId"))
    return auth


def company_status(auth, realm):
    """Status and text of a call to the accounting API with this client's token."""
    address = f"{URL}/v3/company/{realm}/companyinfo/{realm}?minorversion=75"
    headers = {"Authorization": f"Bearer {auth.access_token}", "Accept": "application/json"}
    status, _, text = call("GET", address, headers=headers)
    return status, text


def discovery(suite):
    auth = client()
    for name in ("auth_endpoint", "token_endpoint", "revoke_endpoint", "user_info_url", "jwks_uri"):
        suite.check(getattr(auth, name).startswith(URL + "/"), f"{name} is at the sandbox: {getattr(auth, name)}")
    suite.equal(auth.issuer_uri, "https://oauth.platform.intuit.com/op/v1", "issuer")


def consent_and_exchange(suite):
    auth = client()
    realm = companies("quickbooks")[0]["id"]
    back = consent(auth.get_authorization_url(SCOPES, state_token="a state/with+odd&signs=é"))
    suite.equal(back["state"], "a state/with+odd&signs=é", "state comes back unchanged")
    suite.equal(back["realmId"], realm, "realmId")
    suite.check(0 < len(back["code"]) <= 512, "a code of at most 512 characters")
    auth.get_bearer_token(back["code"], realm_id=back["realmId"])
    suite.equal(auth.expires_in, 3600, "expires_in")
    suite.equal(auth.x_refresh_token_expires_in, 8726400, "x_refresh_token_expires_in")
    # the library sets it only when issuer, audience, expiry and signature all hold
    suite.check(auth.id_token is not None, "the id_token is valid")
    again = suite.refused(AuthClientError, lambda: client().get_bearer_token(back["code"]), "a code is exchanged once")
    suite.equal((again.status_code, json.loads(again.content)["error"]), (400, "invalid_grant"), "a used code")
    suite.check(again.intuit_tid.startswith("1-"), "a refusal has its intuit_tid")
    fresh = consent(client().get_authorization_url(SCOPES))["code"]
    wrong = suite.refused(AuthClientError, lambda: client(secret="wrong").get_bearer_token(fresh), "a wrong secret")
    suite.equal((wrong.status_code, json.loads(wrong.content)["error"]), (401, "invalid_client"), "a wrong secret")
    other = suite.refused(AuthClientError, lambda: client(redirect="http://localhost:9/x").get_bearer_token(fresh), "another redirect")
    suite.equal((other.status_code, json.loads(other.content)["error"]), (400, "invalid_grant"), "another redirect address")


def identity(suite):
    auth = connect()
    person = json.loads(auth.get_user_info().content)
    known = {"sub", "email", "emailVerified", "givenName", "familyName", "phoneNumber", "phoneNumberVerified", "address"}
    suite.check(set(person) <= known, f"only fields the provider has: {set(person) - known}")
    for name in ("sub", "email", "givenName", "familyName"):
        suite.check(isinstance(person.get(name), str) and person[name], f"user info has {name}")
    suite.equal(person.get("emailVerified"), True, "emailVerified")
    sign_in_only = client()
    back = consent(sign_in_only.get_authorization_url([Scopes.OPENID, Scopes.EMAIL]))
    suite.check("realmId" not in back, "signing in alone chooses no company")
    plain = connect(scopes=[Scopes.ACCOUNTING])
    suite.check(plain.id_token is None, "no id_token without the scope openid")


def refusals_of_consent(suite):
    back = consent(client().get_authorization_url(SCOPES, state_token="s1"), answer="deny")
    suite.equal(back, {"error": "access_denied", "state": "s1"}, "the person refuses")
    unknown = client().get_authorization_url(SCOPES).replace("com.intuit.quickbooks.accounting", "com.intuit.quickbooks.unheard")
    suite.equal(consent(unknown).get("error"), "invalid_scope", "an unknown scope")
    for part, wrong in (("client_id=tieout-quickbooks", "client_id=nobody"), ("localhost%3A8787", "evil.example")):
        status, headers, text = call("GET", client().get_authorization_url(SCOPES).replace(part, wrong) + "&auto=approve")
        suite.check("Location" not in headers and status >= 200 and "html" in text.lower(), f"{wrong}: a page, no redirect ({status})")


def refresh_and_rotation(suite):
    auth = connect()
    realm = auth.realm_id
    access, refresh = auth.access_token, auth.refresh_token
    auth.refresh()
    suite.check(auth.access_token != access, "each refresh brings a new access token")
    suite.equal(auth.refresh_token, refresh, "within a day the refresh token stays")
    suite.equal(company_status(auth, realm)[0], 200, "the new access token opens the company")
    control("POST", "clock", {"advance_secs": 3601})
    status, text = company_status(auth, realm)
    suite.equal(status, 401, "an access token of more than an hour")
    suite.check("3200" in text and "Token expired" in text, f"code 3200: {text}")
    expired = suite.refused(AuthClientError, auth.get_user_info, "user info with an old token")
    suite.equal(expired.status_code, 401, "user info with an old token")
    control("POST", "clock", {"advance_secs": 25 * 3600})
    auth.refresh()
    suite.check(auth.refresh_token != refresh, "after a day a refresh brings a new refresh token")
    suite.equal(auth.x_refresh_token_expires_in, 8726400, "the new refresh token has its whole life before it")
    late = suite.refused(AuthClientError, lambda: client().refresh(refresh_token=refresh), "the refresh token before")
    suite.equal(json.loads(late.content)["error"], "invalid_grant", "the refresh token before")
    control("POST", "clock", {"advance_secs": 102 * 86400})
    suite.refused(AuthClientError, auth.refresh, "a refresh token that lay unused for more than 100 days")


def two_companies(suite):
    # the clock has moved on: the other company is made as of then
    now = control("GET", "clock")["now"][:10]
    other = {"face": "quickbooks", "name": "Second Company", "seed": 77, "documents_per_month": 5, "from": "2025-01-01", "to": now}
    control("POST", "companies", other)
    first, second = [company["id"] for company in companies("quickbooks")]
    a, b = connect(company=first), connect(company=second)
    suite.equal((a.realm_id, b.realm_id), (first, second), "one company for each consent")
    suite.equal(company_status(a, first)[0], 200, "its own company")
    suite.equal(company_status(a, second)[0], 401, "a token does not open another company")
    b.refresh()
    suite.equal(company_status(a, first)[0], 200, "a refresh of the other grant changes nothing here")
    again = connect(company=first)
    suite.equal(company_status(again, first)[0], 200, "connected again")
    dead = suite.refused(AuthClientError, a.refresh, "the grant before")
    suite.equal(dead.status_code, 400, "connecting again ends the refresh token before")


def revocation(suite):
    for token in ("refresh_token", "access_token"):
        auth = connect()
        realm = auth.realm_id
        suite.equal(auth.revoke(token=getattr(auth, token)), True, f"revoking by the {token}")
        suite.equal(company_status(auth, realm)[0], 401, f"the company after revoking by the {token}")
        gone = suite.refused(AuthClientError, auth.refresh, f"a refresh after revoking by the {token}")
        suite.equal(json.loads(gone.content)["error"], "invalid_grant", f"a refresh after revoking by the {token}")


Suite().run(discovery, consent_and_exchange, identity, refusals_of_consent, revocation, refresh_and_rotation, two_companies)
