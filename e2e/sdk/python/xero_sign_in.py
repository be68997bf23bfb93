"""xero-python lives a whole OAuth life against the sandbox: connections, refresh with rotation and its grace, disconnecting, revocation."""

import json

from xero_python.exceptions import HTTPStatusException
from xero_python.exceptions.http_status_exceptions import OAuth2InvalidGrantError

from sandbox import REDIRECT, URL, Suite, call, companies, consent, control
from xero_client import SCOPES, Connected, authorize_url, token_endpoint


def refresh(one):
    return one.api.configuration.oauth2_token.refresh_access_token(one.api)


def arm(one):
    """Lets the library's token know the grant before the first call does."""
    token = one.api.configuration.oauth2_token
    token.update_token(**one.token)
    return token


def consent_and_exchange(suite):
    back = consent(authorize_url(state="a state/with+odd&signs=é"))
    suite.equal(back["state"], "a state/with+odd&signs=é", "state comes back unchanged")
    suite.check({"code", "scope", "state", "session_state"} <= set(back), f"the callback has all its parts: {set(back)}")
    form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": REDIRECT, "scope": "ignored"}
    status, token = token_endpoint(form)
    suite.equal((status, token["token_type"], token["expires_in"]), (200, "Bearer", 1800), "the token answer")
    suite.equal(set(token), {"access_token", "token_type", "expires_in", "refresh_token", "id_token", "scope"}, "its fields")
    suite.equal(token_endpoint(form), (400, {"error": "invalid_grant"}), "a code is exchanged once")
    form["code"] = consent(authorize_url())["code"]
    status, refusal = token_endpoint(form, secret="wrong")
    suite.equal((status, refusal.get("error")), (400, "invalid_client"), "a wrong secret")
    plain = consent(authorize_url(["accounting.settings.read"]))
    status, token = token_endpoint({"grant_type": "authorization_code", "code": plain["code"], "redirect_uri": REDIRECT})
    suite.equal(set(token), {"access_token", "token_type", "expires_in", "scope"}, "without openid and offline_access")
    suite.equal(consent(authorize_url(), answer="deny"), {"error": "access_denied", "state": "state-1"}, "the person refuses")
    for wrong in (authorize_url(client="nobody"), authorize_url(redirect="https://evil.example/"), authorize_url(["accounting.unheard"])):
        _, headers, text = call("GET", wrong + "&auto=approve")
        suite.check("Location" not in headers and "html" in text.lower(), "a faulty request ends on a page")


def connections(suite):
    one = Connected()
    listed = one.identity.get_connections()
    sent = one.sent()
    suite.equal(len(listed), len(companies("xero")), "every company that was chosen")
    known = {company["id"]: company["name"] for company in companies("xero")}
    for raw, kept in zip(sent, listed):
        suite.records += 1
        suite.equal(set(raw), {"id", "authEventId", "tenantId", "tenantType", "tenantName", "createdDateUtc", "updatedDateUtc"}, "a connection")
        suite.equal((str(kept.id), str(kept.tenant_id), kept.tenant_type), (raw["id"], raw["tenantId"], "ORGANISATION"), "as sent")
        suite.equal(kept.tenant_name, known[raw["tenantId"]], "tenantName")
        suite.equal(str(kept.auth_event_id), raw["authEventId"], "authEventId")
        suite.check(kept.created_date_utc is not None and kept.updated_date_utc is not None, "times that the library reads")
        organisation = one.accounting.get_organisations(raw["tenantId"]).organisations[0]
        suite.equal(organisation.organisation_id, raw["tenantId"], "tenantId is the organisation's id")
    event = sent[0]["authEventId"]
    suite.equal(len(one.identity.get_connections(auth_event_id=event)), len(listed), "by the consent")
    other = "00000000-0000-4000-8000-000000000000"
    suite.equal(one.identity.get_connections(auth_event_id=other), [], "by another consent")
    gone = sent[0]
    one.identity.delete_connection(gone["id"])
    suite.equal(one.last.status, 204, "disconnecting")
    suite.refused(HTTPStatusException, lambda: one.identity.delete_connection(gone["id"]), "disconnecting again")
    suite.equal(one.last.status, 404, "disconnecting again")
    error = suite.refused(HTTPStatusException, lambda: one.accounting.get_organisations(gone["tenantId"]), "a company that is disconnected")
    suite.equal(error.status, 403, "a company that is disconnected")
    back = Connected()
    again = {connection["tenantId"]: connection for connection in (back.identity.get_connections(), back.sent())[1]}
    suite.equal(len(again), len(sent), "connected again")
    kept = sent[1]
    suite.equal((again[kept["tenantId"]]["id"], again[kept["tenantId"]]["createdDateUtc"]), (kept["id"], kept["createdDateUtc"]), "a known one stays")


def refresh_and_rotation(suite):
    one = Connected()
    tenant = companies("xero")[0]["id"]
    token = arm(one)
    first = dict(one.token)
    suite.equal(refresh(one), True, "refreshing")
    second = dict(one.token)
    suite.check(second["access_token"] != first["access_token"] and second["refresh_token"] != first["refresh_token"], "both tokens are new")
    suite.equal(set(second["scope"]), set(SCOPES), "the scopes stay")
    suite.equal(one.accounting.get_organisations(tenant).organisations[0].organisation_id, tenant, "the new token opens the company")
    # the library asks by itself when a token's time is over
    control("POST", "clock", {"advance_secs": 1801})
    error = suite.refused(HTTPStatusException, lambda: one.accounting.get_organisations(tenant), "an access token of half an hour")
    suite.equal(error.status, 401, "an access token of half an hour")
    detail = json.loads(one.last.data)
    suite.check(detail["Detail"].startswith("TokenExpired: token expired at "), f"told as expired: {detail}")
    one.token = dict(second, expires_at=1.0)
    suite.equal(one.accounting.get_organisations(tenant).organisations[0].organisation_id, tenant, "the library refreshes by itself")
    third = dict(one.token)
    suite.check(third["refresh_token"] != second["refresh_token"], "each refresh rotates")
    grace = {"grant_type": "refresh_token", "refresh_token": second["refresh_token"]}
    control("POST", "clock", {"advance_secs": 29 * 60})
    suite.equal(token_endpoint(grace)[0], 200, "the refresh token before is good for half an hour")
    control("POST", "clock", {"advance_secs": 32 * 60})
    suite.equal(token_endpoint(grace), (400, {"error": "invalid_grant"}), "and then no longer")
    one.token = third
    token.update_token(**third)
    control("POST", "clock", {"advance_secs": 61 * 86400})
    suite.refused((OAuth2InvalidGrantError, HTTPStatusException), lambda: refresh(one), "a refresh token that lay unused for 60 days")


def revocation(suite):
    one = Connected()
    tenant = companies("xero")[0]["id"]
    token = arm(one)
    refresh_token = one.token["refresh_token"]
    access = one.token["access_token"]
    suite.equal(token.revoke_access_token(one.api), True, "revoking")
    suite.equal((one.last.status, one.last.data), (200, b""), "revoking answers nothing")
    refused = token_endpoint({"grant_type": "refresh_token", "refresh_token": refresh_token})
    suite.equal(refused, (400, {"error": "invalid_grant"}), "a refresh after revoking")
    headers = {"Authorization": "Bearer " + access, "Accept": "application/json", "Xero-Tenant-Id": tenant}
    status, _, _ = call("GET", URL + "/api.xro/2.0/Organisation", headers=headers)
    suite.check(status in (401, 403), f"the company after revoking ({status})")
    fresh = Connected(company=tenant)
    suite.equal(len(fresh.identity.get_connections()), 1, "revoking removed every connection of this person")


def custom_connection(suite):
    one = Connected()
    suite.equal(one.api.configuration.oauth2_token.get_client_credentials_access_token(one.api, False), True, "client credentials")
    suite.check("refresh_token" not in one.token, "a custom connection has no refresh token")


Suite().run(consent_and_exchange, connections, custom_connection, revocation, refresh_and_rotation)
