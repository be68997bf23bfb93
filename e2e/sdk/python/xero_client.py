"""xero-python pointed at the sandbox: consent and exchange as an app does them, then the library with a record of what was sent."""

import base64
import json
import urllib.parse

from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token, TokenApi
from xero_python.identity import IdentityApi

from sandbox import REDIRECT, SECRET, URL, call, consent

CLIENT = "tieout-xero"
SCOPES = """openid profile email offline_access accounting.settings accounting.contacts accounting.transactions accounting.attachments
accounting.journals.read accounting.reports.read accounting.budgets.read""".split()

for name in ("client_credentials_token_url", "refresh_token_url"):
    setattr(TokenApi, name, URL + "/connect/token")
TokenApi.revoke_token_url = URL + "/connect/revocation"


def authorize_url(scopes=SCOPES, client=CLIENT, redirect=REDIRECT, state="state-1"):
    asked = {"response_type": "code", "client_id": client, "redirect_uri": redirect, "scope": " ".join(scopes), "state": state}
    return URL + "/identity/connect/authorize?" + urllib.parse.urlencode(asked)


def token_endpoint(form, secret=SECRET):
    """Status and JSON of the token endpoint."""
    basic = base64.b64encode(f"{CLIENT}:{secret}".encode()).decode()
    headers = {"Authorization": "Basic " + basic, "Content-Type": "application/x-www-form-urlencoded"}
    status, _, text = call("POST", URL + "/connect/token", urllib.parse.urlencode(form), headers)
    return status, json.loads(text)


class Connected:
    """A person's consent for companies, the library that uses it, and the last answer that it got."""

    def __init__(self, company=None, scopes=SCOPES):
        back = consent(authorize_url(scopes), company=company)
        form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": REDIRECT}
        status, token = token_endpoint(form)
        assert status == 200, token
        token["scope"] = token["scope"].split()
        self.token = token
        self.api = ApiClient(
            Configuration(oauth2_token=OAuth2Token(client_id=CLIENT, client_secret=SECRET)),
            oauth2_token_getter=lambda: self.token,
            oauth2_token_saver=self.keep,
        )
        self.accounting = AccountingApi(self.api, base_url=URL + "/api.xro/2.0")
        self.identity = IdentityApi(self.api, base_url=URL)
        self.last = None
        self.method = None
        pool = self.api.rest_client.pool_manager
        # urllib3 would wait as long as a 429 tells it to, and hide the answer
        pool.connection_pool_kw["retries"] = False
        ask = pool.request

        def noted(method, url, *arguments, **options):
            self.last = ask(method, url, *arguments, **options)
            return self.last

        pool.request = noted

    def keep(self, token):
        self.token = token

    def sent(self):
        return json.loads(self.last.data)
