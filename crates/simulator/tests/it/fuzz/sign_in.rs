//! The forms and pages of both OAuth servers: consent, tokens, revocation, connections.
use super::Target;
use super::dice::Dice;
use super::json::Harvest;
use super::shot::{Shot, encoded};
use super::subject::{Answer, CLIENTS, Subject};
use super::text;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

#[derive(Default)]
pub struct SignIn {
    companies: Vec<String>,
    /// Codes, tokens and states that were handed out.
    known: Vec<String>,
}

const MOST_KNOWN: usize = 60;
const WORDS: [&str; 26] = [
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "password",
    "code",
    "token",
    "S256",
    "plain",
    "openid",
    "offline_access",
    "accounting.transactions",
    "accounting.journals.read",
    "com.intuit.quickbooks.accounting",
    "http://localhost:9000/callback",
    "http://127.0.0.1:1/",
    "http://localhost:9@evil.example/",
    "javascript:alert(1)",
    "approve",
    "deny",
    "allow",
    "cancel",
    "bulk_connect:false",
    "tieout-xero",
    "tieout-quickbooks",
    "sandbox-secret",
    "newcomer@nobooks.example",
];

impl SignIn {
    fn value(&self, dice: &mut Dice) -> String {
        match dice.below(6) {
            0 | 1 if !self.known.is_empty() => dice.pick(&self.known).clone(),
            2 if !self.companies.is_empty() => dice.pick(&self.companies).clone(),
            3 => text::vary(dice.word(&WORDS), &WORDS, dice),
            4 => dice.word(&text::ODD).to_owned(),
            _ => dice.word(&WORDS).to_owned(),
        }
    }

    fn spoilt(&self, pairs: &[(&str, String)], dice: &mut Dice) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        for _ in 0..dice.below(3) {
            let at = dice.below(pairs.len());
            match dice.below(5) {
                0 if pairs.len() > 1 => {
                    pairs.remove(at);
                }
                1 => pairs.push((pairs[at].0.clone(), self.value(dice))),
                _ => pairs[at].1 = self.value(dice),
            }
        }
        pairs
    }
}

impl Target for SignIn {
    async fn begin(&mut self, subject: &Subject, _harvest: &mut Harvest) {
        self.companies = vec![subject.realm.clone(), subject.tenant.clone()];
        self.known.clear();
    }

    fn shot(&mut self, _harvest: &Harvest, dice: &mut Dice) -> Shot {
        let is_xero = dice.one_in(2);
        let client = CLIENTS[usize::from(is_xero)].1;
        let scope =
            if is_xero { "openid profile email offline_access accounting.transactions.read" } else { "com.intuit.quickbooks.accounting openid" };
        let authorize = if is_xero { "/identity/connect/authorize" } else { "/connect/oauth2" };
        let redirect = "http://localhost:9000/callback";
        let basic = |dice: &mut Dice| match dice.below(5) {
            0 => None,
            1 => Some(format!("Basic {}", dice.word(&["", "x", "dGllb3V0", "====", "dGllb3V0LXhlcm86"]))),
            2 => Some(format!("Bearer {client}")),
            _ => Some(format!("Basic {}", STANDARD.encode(format!("{client}:sandbox-secret")))),
        };
        let shot = match dice.below(10) {
            0..=3 => {
                let question = [
                    ("response_type", "code".to_owned()),
                    ("client_id", client.to_owned()),
                    ("redirect_uri", redirect.to_owned()),
                    ("scope", scope.to_owned()),
                    ("state", self.value(dice)),
                    ("auto", dice.word(&["approve", "approve", "deny", ""]).to_owned()),
                    ("decision", dice.word(&["allow", "approve", "cancel", "deny", "connect"]).to_owned()),
                    ("company", self.value(dice)),
                    ("user", dice.word(&["casey@harborpine.example", "newcomer@nobooks.example", ""]).to_owned()),
                    ("nonce", self.value(dice)),
                ];
                let skipped = dice.below(question.len());
                let mut pairs = self.spoilt(&question, dice);
                if dice.one_in(2) {
                    pairs.retain(|(name, _)| name != question[skipped].0);
                }
                if dice.one_in(6) {
                    pairs.push(("code_challenge".into(), self.value(dice)));
                    pairs.push(("code_challenge_method".into(), dice.word(&["S256", "plain", ""]).into()));
                }
                if dice.one_in(3) { Shot::form(authorize, &pairs) } else { Shot::get(format!("{authorize}?{}", encoded(&pairs))) }
            }
            4..=6 => {
                let kind = dice.word(&["authorization_code", "refresh_token", "client_credentials", "x"]);
                let question = [
                    ("grant_type", kind.to_owned()),
                    (if kind == "refresh_token" { "refresh_token" } else { "code" }, self.value(dice)),
                    ("redirect_uri", redirect.to_owned()),
                    ("scope", scope.to_owned()),
                    ("client_id", client.to_owned()),
                    ("code_verifier", self.value(dice)),
                ];
                let pairs = self.spoilt(&question, dice);
                Shot::form(if is_xero { "/connect/token" } else { "/oauth2/v1/tokens/bearer" }, &pairs)
            }
            7 => {
                let path = if is_xero { "/connect/revocation" } else { "/v2/oauth2/tokens/revoke" };
                let token = self.value(dice);
                match dice.one_in(2) {
                    true => Shot::json("POST", path, serde_json::json!({"token": token}).to_string()),
                    false => Shot::form(path, &self.spoilt(&[("token", token), ("token_type_hint", self.value(dice))], dice)),
                }
            }
            8 => {
                let path = dice.word(&[
                    "/connections",
                    "/connections?authEventId=",
                    "/connections/",
                    "/connect/userinfo",
                    "/v1/openid_connect/userinfo",
                    "/.well-known/openid-configuration",
                    "/.well-known/openid-configuration/jwks",
                    "/.well-known/openid_sandbox_configuration",
                    "/op/v1/jwks",
                ]);
                let id = encoded(&[(self.value(dice), String::new())]);
                let shot = Shot::get(format!("{path}{}", if dice.one_in(2) { id.trim_end_matches('=') } else { "" }));
                let method = dice.word(&["GET", "GET", "DELETE", "POST"]).to_owned();
                let bearer: String = self.value(dice).chars().filter(|one| !one.is_control()).collect();
                let shot = Shot { method, ..shot };
                return if dice.one_in(2) { shot.with("authorization", format!("Bearer {bearer}")) } else { shot };
            }
            _ => Shot::get(format!("/quickbooks-files/{}/{}?{}", self.companies[0], dice.below(20), encoded(&[("token".into(), self.value(dice))]))),
        };
        match basic(dice) {
            Some(authorization) => shot.with("authorization", authorization),
            None => shot,
        }
    }

    fn words(&self) -> Vec<&str> {
        WORDS.to_vec()
    }

    fn observe(&mut self, answer: &Answer) {
        let mut learn = |value: String| {
            if self.known.len() >= MOST_KNOWN {
                self.known.remove(0);
            }
            self.known.push(value);
        };
        if let Ok(address) = url::Url::parse(&answer.location) {
            address.query_pairs().filter(|(name, _)| name == "code").for_each(|(_, code)| learn(code.into_owned()));
        }
        let Some(body) = answer.json() else { return };
        ["access_token", "refresh_token", "id_token"].iter().filter_map(|name| body[name].as_str()).for_each(|token| learn(token.to_owned()));
    }

    fn sweeps(&self) -> bool {
        false
    }
}
