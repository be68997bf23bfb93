//! The outbound client. It can express reads of a provider's data, and posts to its OAuth endpoints; a write to the books cannot be said.
use crate::error::{Call, ProviderError};
use crate::oauth::Secret;
use crate::provider::{CallGate, Cost};
use domain::clock::Clock;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An answer that arrived whole.
pub struct Answer {
    pub status: u16,
    pub body: String,
    pub call: Call,
    /// The `Date` header: the provider's clock, to the second.
    pub date: Option<Timestamp>,
    /// `Retry-After`, in seconds.
    pub retry_after_secs: Option<i64>,
    /// Xero's `X-Rate-Limit-Problem`.
    pub limit_problem: Option<String>,
}

/// The HTTP client of one provider.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    provider: &'static str,
    /// The header that carries the provider's request id.
    request_id_header: &'static str,
    /// Which answers a new access token may cure: every 401, unless the provider says more.
    wants_a_new_token: fn(&Answer) -> bool,
    pub clock: Arc<dyn Clock>,
}

/// Answers larger than this are refused: a page of 1,000 records stays far below it.
const MAX_BODY_BYTES: usize = 256 * 1024 * 1024;

impl Http {
    /// Fails only when the TLS provider cannot be set up.
    pub fn new(provider: &'static str, request_id_header: &'static str, clock: Arc<dyn Clock>) -> Result<Http, ProviderError> {
        // the process may have chosen a provider already; ours is the same
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .user_agent(concat!("tieout/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(130)) // QuickBooks cuts a request off after 120 s (D-REST)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| ProviderError::Down { provider, detail: error.without_url().to_string(), call: Call::default() })?;
        Ok(Http { client, provider, request_id_header, wants_a_new_token: |answer| answer.status == 401, clock })
    }

    /// Narrows down which answers a new access token may cure.
    pub fn renewing_when(self, wants_a_new_token: fn(&Answer) -> bool) -> Http {
        Http { wants_a_new_token, ..self }
    }

    /// Reads data: GET, through the gate, with the gate's token; a 401 renews the token once. Any other status comes back as an `Answer`,
    /// for the provider to read its error body. Server errors and broken connections are tried three times, briefly.
    pub async fn get(&self, gate: &dyn CallGate, endpoint: &str, url: &url::Url, headers: &[(&'static str, &str)]) -> Result<Answer, ProviderError> {
        let mut token = gate.token(None).await?;
        let mut renewed = false;
        let mut tries = 0;
        loop {
            gate.admit(endpoint).await?;
            tries += 1;
            let mut request = self.client.get(url.clone()).bearer_auth(token.expose()).header("Accept", "application/json");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let began = Instant::now();
            let answer = tokio::select! {
                answer = self.receive(endpoint, request) => answer,
                () = gate.given_up() => {
                    let cost = Cost { bytes: 0, took: began.elapsed(), given_up: true };
                    gate.answered(&Call { endpoint: endpoint.to_owned(), ..Call::default() }, cost);
                    return Err(ProviderError::Cancelled);
                }
            };
            let cost = |bytes| Cost { bytes, took: began.elapsed(), given_up: false };
            match &answer {
                Ok(answer) => gate.answered(&answer.call, cost(answer.body.len() as u64)),
                Err(error) => gate.answered(error.call().unwrap_or(&Call::default()), cost(0)),
            }
            match answer {
                Ok(answer) if !renewed && (self.wants_a_new_token)(&answer) => {
                    renewed = true;
                    token = gate.token(Some(&token)).await?;
                }
                Ok(answer) if answer.status >= 500 && answer.status != 501 && tries < 3 => tokio::time::sleep(pause(tries)).await,
                Err(ProviderError::Down { .. }) if tries < 3 => tokio::time::sleep(pause(tries)).await,
                Ok(answer) if answer.status >= 500 && answer.status != 501 => {
                    return Err(ProviderError::Down { provider: self.provider, detail: outage(&answer), call: answer.call });
                }
                other => return other,
            }
        }
    }

    /// GET with a token of our own choosing, for the moments before a connection exists (userinfo, connections).
    pub async fn get_with(&self, token: &Secret, endpoint: &str, url: &url::Url, headers: &[(&'static str, &str)]) -> Result<Answer, ProviderError> {
        let mut request = self.client.get(url.clone()).bearer_auth(token.expose()).header("Accept", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.receive(endpoint, request).await
    }

    /// A form post to an OAuth endpoint (token, revocation), authenticated as the app.
    pub async fn oauth_post(
        &self,
        endpoint: &str,
        url: &url::Url,
        client_id: &str,
        client_secret: &Secret,
        form: &[(&str, &str)],
    ) -> Result<Answer, ProviderError> {
        let request = self
            .client
            .post(url.clone())
            .timeout(Duration::from_secs(30))
            .basic_auth(client_id, Some(client_secret.expose()))
            .header("Accept", "application/json")
            .form(form);
        self.receive(endpoint, request).await
    }

    /// Xero only: removes one of our own connections (`DELETE /connections/{id}`).
    pub async fn delete_connection(&self, token: &Secret, url: &url::Url) -> Result<Answer, ProviderError> {
        self.receive("DELETE connections", self.client.delete(url.clone()).bearer_auth(token.expose())).await
    }

    async fn receive(&self, endpoint: &str, request: reqwest::RequestBuilder) -> Result<Answer, ProviderError> {
        let mut call = Call { endpoint: endpoint.to_owned(), ..Call::default() };
        let down = |detail: String, call: &Call| ProviderError::Down { provider: self.provider, detail, call: call.clone() };
        let mut response = request.send().await.map_err(|error| down(describe(&error), &call))?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        call.http_status = Some(response.status().as_u16());
        call.request_id = header(self.request_id_header);
        let date = header("date").and_then(|text| jiff::fmt::rfc2822::parse(&text).ok()).map(|zoned| zoned.timestamp());
        let retry_after_secs = header("retry-after").and_then(|text| text.trim().parse().ok());
        let limit_problem = header("x-rate-limit-problem");
        let mut bytes = Vec::with_capacity(response.content_length().unwrap_or(0).min(MAX_BODY_BYTES as u64) as usize);
        while let Some(part) = response.chunk().await.map_err(|error| down(describe(&error), &call))? {
            if bytes.len() + part.len() > MAX_BODY_BYTES {
                return Err(ProviderError::TooLarge { provider: self.provider, call });
            }
            bytes.extend_from_slice(&part);
        }
        let body = String::from_utf8(bytes).map_err(|_| ProviderError::UnexpectedAnswer {
            provider: self.provider,
            detail: "it is not UTF-8 text".into(),
            call: call.clone(),
        })?;
        Ok(Answer { status: call.http_status.unwrap_or(0), body, call, date, retry_after_secs, limit_problem })
    }
}

fn pause(tries: u32) -> Duration {
    Duration::from_millis(400 << tries)
}

/// The provider's own words about an outage, where its body is a short plain text (`The Organisation is offline`).
fn outage(answer: &Answer) -> String {
    let text = answer.body.trim();
    let is_plain = !text.is_empty() && text.len() <= 200 && !text.starts_with(['<', '{', '[']);
    if is_plain { text.trim_end_matches('.').to_owned() } else { format!("HTTP status {}", answer.status) }
}

/// The cause without the address, which may hold ids.
fn describe(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        "time-out".into()
    } else if error.is_connect() {
        "no connection".into()
    } else {
        "the connection broke".into()
    }
}

impl Answer {
    /// When the provider says to ask again, or after `default_secs`.
    pub fn retry_at(&self, now: Timestamp, default_secs: i64) -> Timestamp {
        let wait = self.retry_after_secs.unwrap_or(default_secs).clamp(1, 100_000);
        Timestamp::from_second(now.as_second() + wait).unwrap_or(now)
    }
}
