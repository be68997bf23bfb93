//! The second page of a sign-in: a code of the authenticator app, or a recovery code.
use crate::app::App;
use crate::auth::{device, second_factor};
use crate::error::WebError;
use crate::flash::Flash;
use crate::parts::address::Asked;
use crate::visit::Theme;
use askama::Template;
use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use engine::people::second_factor::{self as factors, Checked};

#[derive(Template)]
#[template(path = "pages/sign_in_code.html")]
pub struct SignInCodePage {
    pub theme: Theme,
    pub style: &'static str,
    pub error: Option<String>,
    /// What was sent was meant as a recovery code.
    pub recovering: bool,
}

/// GET /sign-in/code: without a sign-in that waits for it there is nothing to enter a code for.
pub async fn show(State(app): State<App>, headers: HeaderMap) -> Result<Response, WebError> {
    match second_factor::find(&app, &headers).await? {
        Some(_) => page(&headers, StatusCode::OK, None, false),
        None => Ok(Redirect::to("/sign-in").into_response()),
    }
}

/// POST /sign-in/code: a code that is right is used up, and the session begins.
pub async fn enter(State(app): State<App>, headers: HeaderMap, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let Some((token, half)) = second_factor::find(&app, &headers).await? else {
        return Ok(Redirect::to("/sign-in").into_response());
    };
    let recovering = !form.get("recovery").is_empty();
    let text = if recovering { form.get("recovery") } else { form.get("code") };
    let wrong = |status: StatusCode, error: &str| page(&headers, status, Some(error.to_owned()), recovering);
    if text.is_empty() {
        return wrong(StatusCode::UNPROCESSABLE_ENTITY, "Enter the six digits that your app shows.");
    }
    // by person, not by place: whoever got this far has the password, and a code has a million values only
    let (now_ms, who) = (app.engine.now_ms(), format!("code {}", half.user_id));
    let wait_ms = app.throttle.wait_ms(&who, now_ms);
    if wait_ms > 0 {
        let error = format!("Too many attempts. Wait {} seconds and try again.", wait_ms.div_euclid(1_000) + 1);
        return wrong(StatusCode::TOO_MANY_REQUESTS, &error);
    }
    let response = match factors::check(&app.engine, &half.user_id, text).await? {
        Checked::Wrong => {
            app.throttle.failed(&who, now_ms);
            engine::audit::sign_in_failed(&app.engine, Some(half.user_id), "wrong code");
            return wrong(
                StatusCode::UNPROCESSABLE_ENTITY,
                match recovering {
                    true => "This recovery code is not right, or it was used before. Each works once.",
                    false => "This code is not right, or it was used before. Enter the six digits that your app shows now.",
                },
            );
        }
        Checked::Right => Redirect::to(&half.leads_to).into_response(),
        Checked::Recovered { left } => {
            let told = match left {
                0 => "That was your last recovery code. Make new ones under Profile and security.".to_owned(),
                1 => "You used a recovery code; one is left. Make new ones under Profile and security.".to_owned(),
                left => format!("You used a recovery code; {left} are left."),
            };
            Flash::warn(told).redirect(&half.leads_to)
        }
    };
    app.throttle.succeeded(&who);
    let Some(mut response) = second_factor::finish(&app, &headers, token, &half, response).await? else {
        return Ok(Redirect::to("/sign-in").into_response());
    };
    if let Some(user) = store::members::find_user(&mut app.engine.store.read().await?, &half.user_id).await? {
        device::mark(&app, &headers, &user.email, &mut response);
    }
    Ok(response)
}

fn page(headers: &HeaderMap, status: StatusCode, error: Option<String>, recovering: bool) -> Result<Response, WebError> {
    let page = SignInCodePage { theme: Theme::of(headers), style: &crate::assets::STYLE.path, error, recovering };
    Ok((status, Html(page.render()?)).into_response())
}
