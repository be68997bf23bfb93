//! Profile and security: a person's own name, address, password, second factor, and where they are signed in.
use crate::app::App;
use crate::auth::passwords;
use crate::auth::proof::{self, Unproven};
use crate::error::WebError;
use crate::flash::Flash;
use crate::parts::address::{Asked, exactly};
use crate::parts::moment::Moment;
use crate::parts::qr::Qr;
use crate::parts::{browser, fields};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{RawForm, State};
use axum::http::StatusCode;
use axum::response::Response;
use engine::EngineError;
use engine::people::profile::{self, Address};
use engine::people::second_factor::{self, Confirmed, Setup};

pub const PATH: &str = "/profile";
const NO_NAME: &str = "Enter your name.";

/// Where a person stands with their second factor.
pub enum Factor {
    Off,
    /// The seed is shown until a first code is right.
    Setup {
        qr: Qr,
        seed: String,
        address: String,
    },
    On {
        since: Moment,
        codes_left: i64,
    },
    /// Shown this once.
    Codes(Vec<String>),
}

/// A browser in which this person is signed in.
pub struct Row {
    pub hash: String,
    pub browser: String,
    pub organization: String,
    pub is_this: bool,
    pub signed_in: Moment,
    pub seen: Moment,
}

/// What is wrong with a field, by its id.
type Wrong = Option<(&'static str, String)>;

#[derive(Template)]
#[template(path = "pages/profile.html")]
pub struct ProfilePage {
    pub shell: Shell,
    pub name: String,
    pub email: String,
    /// A new address that waits for its link to be followed.
    pub waiting: Option<String>,
    pub has_password: bool,
    pub can_mail: bool,
    /// The organization asks for a second factor, and there is none yet.
    pub must: bool,
    pub factor: Factor,
    pub sessions: Vec<Row>,
    pub wrong: Wrong,
}

impl ProfilePage {
    fn problem(&self, field: &str) -> Option<&str> {
        self.wrong.as_ref().filter(|(wrong, _)| *wrong == field).map(|(_, sentence)| sentence.as_str())
    }
    fn is_on(&self) -> bool {
        matches!(self.factor, Factor::On { .. } | Factor::Codes(_))
    }
    fn codes(&self) -> String {
        match &self.factor {
            Factor::Codes(codes) => codes.join("\n"),
            _ => String::new(),
        }
    }
}

pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    page(&app, &visit, StatusCode::OK, &Asked::default(), None, None).await
}

/// `typed` keeps what a refused form held; `factor` is what is shown this once.
async fn page(app: &App, visit: &Visit, status: StatusCode, typed: &Asked, factor: Option<Factor>, wrong: Wrong) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let user = store::members::find_user(&mut conn, visit.user_id()).await?.ok_or(WebError::SignInNeeded)?;
    let confirmed_at = store::second_factors::confirmed_at(&mut conn, visit.user_id()).await?;
    let now_ms = visit.now.as_millisecond();
    let factor = match (factor, confirmed_at) {
        (Some(factor), _) => factor,
        (None, None) => Factor::Off,
        (None, Some(since)) => Factor::On {
            since: Moment::relative(since, visit.now, &visit.zone),
            codes_left: store::second_factors::count_codes(&mut conn, visit.user_id()).await?,
        },
    };
    let sessions = store::sessions::list_of(&mut conn, visit.user_id(), now_ms).await?;
    let waiting = store::email_changes::find_of(&mut conn, visit.user_id(), now_ms).await?;
    let shell = visit.shell(&mut conn, Place::Elsewhere, "Profile and security").await?;
    drop(conn);
    let or_own = |typed: &str, own: String| if typed.is_empty() { own } else { typed.to_owned() };
    let page = ProfilePage {
        shell,
        name: if wrong.as_ref().is_some_and(|(field, _)| *field == "name") {
            typed.get("name").to_owned()
        } else {
            or_own(typed.get("name"), user.name)
        },
        email: or_own(typed.get("email"), user.email),
        waiting,
        has_password: user.password_hash.is_some(),
        can_mail: app.engine.can_mail(),
        must: visit.session.needs_second_factor && !matches!(factor, Factor::Codes(_)),
        factor,
        sessions: sessions.into_iter().map(|session| row(session, visit)).collect(),
        wrong,
    };
    visit.page_with(status, &page)
}

fn row(session: store::sessions::Open, visit: &Visit) -> Row {
    Row {
        is_this: session.token_hash == visit.session.token_hash,
        hash: session.token_hash,
        browser: browser::in_words(session.user_agent.as_deref()),
        organization: session.organization_name,
        signed_in: Moment::relative(session.proven_at, visit.now, &visit.zone),
        seen: Moment::relative(session.seen_at, visit.now, &visit.zone),
    }
}

/// The page with a sentence beside the field for the current password.
async fn unproven(app: &App, visit: &Visit, typed: &Asked, field: &'static str, why: Unproven) -> Result<Response, WebError> {
    page(app, visit, why.status, typed, None, Some((field, why.sentence))).await
}

/// POST /profile/name
pub async fn save_name(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    if let Some(error) = fields::name(form.get("name"), NO_NAME) {
        return page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &form, None, Some(("name", error.to_owned()))).await;
    }
    profile::rename(&app.engine, visit.user_id(), form.get("name")).await?;
    Ok(Flash::good("Saved.").redirect(PATH))
}

/// POST /profile/email: with the current password, and counting once its link is followed.
pub async fn save_email(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let present = exactly(&form, "present");
    let form = Asked::parse(&form);
    let email = form.get("email").to_lowercase();
    let refused = |sentence: &str| Some(("email", sentence.to_owned()));
    if let Some(error) = fields::address(&email) {
        return page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &form, None, refused(error)).await;
    }
    if let Err(why) = proof::check(&app, &visit, present).await? {
        return unproven(&app, &visit, &form, "email-present", why).await;
    }
    if email == visit.session.email {
        return Ok(Flash::good("This is your address already.").redirect(PATH));
    }
    // every request counts as a try: nobody's mailbox is filled
    let (now_ms, who) = (app.engine.now_ms(), format!("new address {}", visit.user_id()));
    let wait_ms = app.throttle.wait_ms(&who, now_ms);
    if wait_ms > 0 {
        let error = format!("Too many requests. Wait {} seconds and try again.", wait_ms.div_euclid(1_000) + 1);
        return page(&app, &visit, StatusCode::TOO_MANY_REQUESTS, &form, None, refused(&error)).await;
    }
    app.throttle.failed(&who, now_ms);
    match profile::change_email(&app.engine, visit.user_id(), &email).await? {
        Address::Mailed => {
            Ok(Flash::good(format!("A link is on its way to {email}. Follow it within a day; until then your address stays.")).redirect(PATH))
        }
        Address::Changed => {
            Ok(Flash::good(format!("You sign in with {email} from now on. This server sends no mail, so nobody was asked to confirm it."))
                .redirect(PATH))
        }
        Address::Taken => {
            let error = "Somebody signs in with this address already. Use another one.";
            page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &form, None, refused(error)).await
        }
    }
}

/// POST /profile/password: every other session ends.
pub async fn save_password(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let (present, password) = (exactly(&form, "present"), exactly(&form, "password"));
    let nothing = Asked::default();
    let own = [&visit.session.organization_name, &visit.session.email, &visit.session.user_name].map(String::as_str);
    if let Some(error) = fields::password(&password, &own) {
        return page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &nothing, None, Some(("password", error.to_owned()))).await;
    }
    if let Err(why) = proof::check(&app, &visit, present).await? {
        return unproven(&app, &visit, &nothing, "password-present", why).await;
    }
    let password_hash = passwords::hash(&app, password).await;
    profile::change_password(&app.engine, visit.user_id(), &visit.session.token_hash, &password_hash).await?;
    Ok(Flash::good("Your password is changed. You are signed out everywhere else.").redirect(PATH))
}

fn shown(setup: Setup) -> Factor {
    Factor::Setup { qr: Qr::of(&setup.address), seed: setup.seed, address: setup.address }
}

/// POST /profile/second-factor: a seed, shown in the answer.
pub async fn set_up(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let nothing = Asked::default();
    if let Err(why) = proof::check(&app, &visit, exactly(&form, "present")).await? {
        return unproven(&app, &visit, &nothing, "factor-present", why).await;
    }
    match second_factor::begin_setup(&app.engine, visit.user_id()).await {
        Ok(setup) => page(&app, &visit, StatusCode::OK, &nothing, Some(shown(setup)), None).await,
        Err(EngineError::Refused(reason)) => Ok(Flash::warn(reason).redirect(PATH)),
        Err(error) => Err(error.into()),
    }
}

/// POST /profile/second-factor/confirm: the first code turns it on.
pub async fn confirm(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let nothing = Asked::default();
    match second_factor::confirm(&app.engine, visit.user_id(), form.get("code")).await? {
        Confirmed::On(codes) => page(&app, &visit, StatusCode::OK, &nothing, Some(Factor::Codes(codes)), None).await,
        Confirmed::Wrong(setup) => {
            let error = "This is not the code of now. Enter the six digits that your app shows, and check that your phone's clock is right.";
            let wrong = Some(("code", error.to_owned()));
            page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &nothing, Some(shown(setup)), wrong).await
        }
        Confirmed::Over => {
            Ok(Flash::warn("No setup is under way, or it began more than a quarter of an hour ago. Set up the second factor again.").redirect(PATH))
        }
    }
}

/// POST /profile/second-factor/codes: ten new ones.
pub async fn renew_codes(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let nothing = Asked::default();
    if let Err(why) = proof::check(&app, &visit, exactly(&form, "present")).await? {
        return unproven(&app, &visit, &nothing, "factor-present", why).await;
    }
    match second_factor::renew_codes(&app.engine, visit.user_id()).await {
        Ok(codes) => page(&app, &visit, StatusCode::OK, &nothing, Some(Factor::Codes(codes)), None).await,
        Err(EngineError::Refused(reason)) => Ok(Flash::warn(reason).redirect(PATH)),
        Err(error) => Err(error.into()),
    }
}

/// POST /profile/second-factor/off
pub async fn turn_off(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    if let Err(why) = proof::check(&app, &visit, exactly(&form, "present")).await? {
        return unproven(&app, &visit, &Asked::default(), "factor-present", why).await;
    }
    match second_factor::turn_off(&app.engine, visit.user_id()).await? {
        true => Ok(Flash::good("Your second factor is off. Signing in asks for your password only.").redirect(PATH)),
        false => Ok(Flash::warn("You have no second factor; nothing was changed.").redirect(PATH)),
    }
}

/// POST /profile/sessions/end: one of one's own, or all but this one.
pub async fn end_sessions(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let own = &visit.session.token_hash;
    if form.get("session").is_empty() {
        let told = match profile::end_other_sessions(&app.engine, visit.user_id(), own).await? {
            0 => "You are signed in nowhere else.".to_owned(),
            1 => "One other session has ended.".to_owned(),
            ended => format!("{ended} other sessions have ended."),
        };
        return Ok(Flash::good(told).redirect(PATH));
    }
    match profile::end_session(&app.engine, visit.user_id(), form.get("session")).await? {
        true => Ok(Flash::good("The session has ended.").redirect(PATH)),
        false => Ok(Flash::warn("That session had ended already.").redirect(PATH)),
    }
}
