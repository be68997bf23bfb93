//! The second factor of a person: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for whoever has lost it.
use super::{Actor, begin, mail};
use crate::error::EngineError;
use crate::{Engine, audit};
use domain::audit::{Act, Object, ObjectKind};
use domain::ids::UserId;
use domain::organization::{Action, Role};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use store::{Tx, members, second_factors, sessions};

/// What every authenticator app takes to be meant when nothing is said (RFC 6238, 4; "Key Uri Format" of Google Authenticator).
const STEP_MS: i64 = 30_000;
const DIGITS: usize = 6;
/// RFC 4226, 4: 160 bits.
const SEED_BYTES: usize = 20;
/// A seed that was shown and not confirmed by then is not taken any more.
const SETUP_LIFE_MS: i64 = 15 * 60_000;
pub const RECOVERY_CODES: usize = 10;
/// 80 bits, in groups of four.
const RECOVERY_BYTES: usize = 10;
const RECOVERY_LETTERS: usize = 16;
const ISSUER: &str = "Tieout";

/// The half minute of a time; one code belongs to each.
pub fn step_at(now_ms: i64) -> i64 {
    now_ms.div_euclid(STEP_MS)
}

/// RFC 4226, 5.3, with the number of the half minute as its counter.
pub fn code_of(seed: &[u8], step: i64) -> String {
    let mut mac = <Hmac<Sha1> as Mac>::new_from_slice(seed).expect("HMAC takes keys of any length");
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[hash.len() - 1] & 0x0f);
    let number = hash[at..at + 4].iter().fold(0_u32, |number, byte| (number << 8) | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// RFC 4648, 6, without padding: how apps take a seed that is typed.
pub fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut block = [0_u8; 8];
        block[3..3 + chunk.len()].copy_from_slice(chunk);
        let block = u64::from_be_bytes(block);
        text.extend((0..(chunk.len() * 8).div_ceil(5)).map(|at| char::from(LETTERS[((block >> (35 - 5 * at)) & 31) as usize])));
    }
    text
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// Six digits as people type them, also in groups.
fn read_code(text: &str) -> Option<String> {
    let code: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    (code.len() == DIGITS && code.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

/// A recovery code as it is kept: without its dashes, in small letters.
fn read_recovery_code(text: &str) -> Option<String> {
    let code: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().to_lowercase();
    (code.len() == RECOVERY_LETTERS && code.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(code)
}

fn make_recovery_codes() -> Vec<String> {
    (0..RECOVERY_CODES).map(|_| base32(&random::<RECOVERY_BYTES>()).to_lowercase()).collect()
}

/// `abcd-efgh-ijkl-mnop`: as a person keeps it.
fn in_groups(code: &str) -> String {
    code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
}

/// The half minute whose code this is: now, or one before or after, for a clock or a person that is a little slow (RFC 6238, 5.2).
fn step_of(seed: &[u8], code: &str, now_ms: i64) -> Option<i64> {
    let now = step_at(now_ms);
    [now, now - 1, now + 1].into_iter().find(|step| code_of(seed, *step) == code)
}

/// What a person puts into their app.
pub struct Setup {
    /// For typing: base32, in groups of four.
    pub seed: String,
    /// For the picture: `otpauth://totp/...`
    pub address: String,
}

fn setup(seed: &[u8], email: &str) -> Setup {
    let text = base32(seed);
    let name: String = url::form_urlencoded::byte_serialize(email.as_bytes()).collect();
    Setup { seed: in_groups(&text).replace('-', " "), address: format!("otpauth://totp/{ISSUER}:{name}?secret={text}&issuer={ISSUER}") }
}

/// Makes a seed. Nothing asks for its codes before the first right one.
pub async fn begin_setup(engine: &Engine, user_id: &UserId) -> Result<Setup, EngineError> {
    let mut tx = engine.store.begin().await?;
    let user = members::find_user(&mut tx, user_id).await?.ok_or(EngineError::NotFound)?;
    let seed = random::<SEED_BYTES>();
    if !second_factors::begin(&engine.store, &mut tx, user_id, &seed, engine.now_ms()).await? {
        return Err(EngineError::Refused("You have a second factor already. Turn it off before you set up another app.".to_owned()));
    }
    tx.commit().await?;
    Ok(setup(&seed, &user.email))
}

/// How a first code was taken.
pub enum Confirmed {
    /// It is on; recovery codes are shown this once.
    On(Vec<String>),
    /// Not the code of now: the same seed once more.
    Wrong(Setup),
    /// There is no setup under way, or it began too long ago.
    Over,
}

/// The first code: it shows that the app has the seed.
pub async fn confirm(engine: &Engine, user_id: &UserId, text: &str) -> Result<Confirmed, EngineError> {
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    let user = members::find_user(&mut tx, user_id).await?.ok_or(EngineError::NotFound)?;
    let found = second_factors::find(&engine.store, &mut tx, user_id).await?;
    let Some(factor) = found.filter(|factor| factor.confirmed_at.is_none() && now_ms - factor.begun_at <= SETUP_LIFE_MS) else {
        return Ok(Confirmed::Over);
    };
    let Some(step) = read_code(text).and_then(|code| step_of(&factor.seed, &code, now_ms)) else {
        return Ok(Confirmed::Wrong(setup(&factor.seed, &user.email)));
    };
    if !second_factors::confirm(&mut tx, user_id, step, now_ms).await? {
        return Ok(Confirmed::Over);
    }
    let codes = make_recovery_codes();
    second_factors::replace_codes(&engine.store, &mut tx, user_id, &codes).await?;
    audit::note_everywhere(engine, &mut tx, user_id, Act::SecondFactorSet, "").await?;
    let told = "A second factor is on for your account at Tieout: from now on signing in also asks for a code.";
    mail(engine, &mut tx, &user.email, "Your second factor is on", &format!("Hello {},\n\n{told}\n\n{NOT_YOU}", user.name)).await?;
    tx.commit().await?;
    engine.wake_delivery();
    Ok(Confirmed::On(codes.iter().map(|code| in_groups(code)).collect()))
}

/// The end of every mail about what a person changed.
pub(super) const NOT_YOU: &str = "If it was not you, choose a new password at once, and tell an Owner of your organization.\n";

/// What somebody typed where a code is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    Right,
    /// A recovery code, which is used up now; so many are left.
    Recovered {
        left: i64,
    },
    Wrong,
}

/// Checks a code of the app, or a recovery code, and uses it up. Who has no second factor (any more) needs none.
pub async fn check(engine: &Engine, user_id: &UserId, text: &str) -> Result<Checked, EngineError> {
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    let found = second_factors::find(&engine.store, &mut tx, user_id).await?;
    let Some(factor) = found.filter(|factor| factor.confirmed_at.is_some()) else { return Ok(Checked::Right) };
    let checked = if let Some(code) = read_recovery_code(text) {
        match second_factors::use_code(&engine.store, &mut tx, user_id, &code, now_ms).await? {
            true => Checked::Recovered { left: second_factors::count_codes(&mut tx, user_id).await? },
            false => Checked::Wrong,
        }
    } else {
        match read_code(text).and_then(|code| step_of(&factor.seed, &code, now_ms)) {
            Some(step) if second_factors::use_step(&mut tx, user_id, step).await? => Checked::Right,
            _ => Checked::Wrong,
        }
    };
    tx.commit().await?;
    Ok(checked)
}

/// Ten new recovery codes, shown once; those of before end.
pub async fn renew_codes(engine: &Engine, user_id: &UserId) -> Result<Vec<String>, EngineError> {
    let mut tx = engine.store.begin().await?;
    if second_factors::confirmed_at(&mut tx, user_id).await?.is_none() {
        return Err(EngineError::Refused("You have no second factor. Set one up; recovery codes come with it.".to_owned()));
    }
    let codes = make_recovery_codes();
    second_factors::replace_codes(&engine.store, &mut tx, user_id, &codes).await?;
    audit::note_everywhere(engine, &mut tx, user_id, Act::RecoveryCodesMade, "").await?;
    tx.commit().await?;
    Ok(codes.iter().map(|code| in_groups(code)).collect())
}

/// Takes one's own second factor away. False when there was none.
pub async fn turn_off(engine: &Engine, user_id: &UserId) -> Result<bool, EngineError> {
    let mut tx = engine.store.begin().await?;
    let removed = second_factors::delete(&mut tx, user_id).await?;
    if removed {
        audit::note_everywhere(engine, &mut tx, user_id, Act::SecondFactorRemoved, "by its owner").await?;
        tell_it_is_gone(engine, &mut tx, user_id, "You turned it off.").await?;
    }
    tx.commit().await?;
    engine.wake_delivery();
    Ok(removed)
}

async fn tell_it_is_gone(engine: &Engine, tx: &mut Tx, user_id: &UserId, how: &str) -> Result<(), EngineError> {
    let Some(user) = members::find_user(tx, user_id).await? else { return Ok(()) };
    let told = format!("Your account at Tieout has no second factor any more. {how}");
    mail(engine, tx, &user.email, "Your second factor is off", &format!("Hello {},\n\n{told}\n\n{NOT_YOU}", user.name)).await
}

/// For whoever runs the server: somebody has lost both the app and the recovery codes. False when there is none to take away.
pub async fn reset(engine: &Engine, user_id: &UserId) -> Result<bool, EngineError> {
    let mut tx = engine.store.begin().await?;
    let removed = take_away(engine, &mut tx, user_id, "Whoever runs the server took it away.").await?;
    tx.commit().await?;
    engine.wake_delivery();
    Ok(removed)
}

/// A device that is lost may also hold a session.
async fn take_away(engine: &Engine, tx: &mut Tx, user_id: &UserId, how: &str) -> Result<bool, EngineError> {
    if !second_factors::delete(tx, user_id).await? {
        return Ok(false);
    }
    audit::note_everywhere(engine, tx, user_id, Act::SecondFactorRemoved, "reset").await?;
    sessions::delete_all_of(tx, user_id).await?;
    tell_it_is_gone(engine, tx, user_id, how).await?;
    Ok(true)
}

/// An Owner takes away the second factor of a member who has lost it. Not of somebody who belongs to other organizations too: it guards those as well.
pub async fn reset_for(engine: &Engine, actor: &Actor<'_>, target: &UserId) -> Result<(), EngineError> {
    let (mut tx, own) = begin(engine, actor).await?;
    if own != Role::Owner {
        return Err(EngineError::NotAllowed("Only an Owner of the organization resets a second factor. Ask one of them.".to_owned()));
    }
    members::role_of(&mut tx, actor.organization_id, target).await?.ok_or(EngineError::NotFound)?;
    if target == actor.user_id {
        return Err(EngineError::Refused("Your own second factor is turned off under Profile and security, with your password.".to_owned()));
    }
    if members::list_organizations(&mut tx, target).await?.len() > 1 {
        return Err(EngineError::Refused(
            "This person belongs to other organizations too; their second factor guards those as well. Whoever runs the server resets it with \
             `tieout reset-second-factor`."
                .to_owned(),
        ));
    }
    if !take_away(engine, &mut tx, target, "An Owner of your organization took it away.").await? {
        return Err(EngineError::Refused("This person has no second factor; there is nothing to reset.".to_owned()));
    }
    tx.commit().await?;
    tracing::info!(user.id = %target, by = %actor.user_id, "a second factor was reset");
    engine.wake_delivery();
    engine.changed(actor.organization_id, None);
    Ok(())
}

/// Asks every member for a second factor, or no longer. Only by an Owner who has one: nobody is asked for what they do not do themselves.
pub async fn require(engine: &Engine, actor: &Actor<'_>, required: bool) -> Result<(), EngineError> {
    let (mut tx, own) = begin(engine, actor).await?;
    if !own.may(Action::PromoteOwner) {
        return Err(EngineError::NotAllowed(
            "Only an Owner of the organization decides whether a second factor is asked for. Ask one of them.".to_owned(),
        ));
    }
    if required && second_factors::confirmed_at(&mut tx, actor.user_id).await?.is_none() {
        return Err(EngineError::Refused("Set up your own second factor first, under Profile and security.".to_owned()));
    }
    second_factors::set_required(&mut tx, actor.organization_id, required).await?;
    let organization = Object::new(ObjectKind::Organization, actor.organization_id.as_str(), "");
    let word = |asked: bool| if asked { "asked" } else { "not asked" };
    audit::note(engine, &mut tx, actor.organization_id, Act::SecondFactorAsked, organization, word(!required), word(required)).await?;
    tx.commit().await?;
    engine.changed(actor.organization_id, None);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six of its eight digits
        let seed = b"12345678901234567890";
        for (secs, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_of(seed, step_at(secs * 1_000)), code, "{secs}");
        }
        // RFC 4648, 10
        for (bytes, text) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(bytes.as_bytes()), text, "{bytes}");
        }
    }

    #[test]
    fn codes_are_read_as_people_type_them_and_nothing_else_is_one() {
        assert_eq!(read_code(" 123 456 ").as_deref(), Some("123456"));
        for wrong in ["", "12345", "1234567", "12345a", "abcdef", "١٢٣٤٥٦", "12345\u{0}", "+12345", "-12345"] {
            assert_eq!(read_code(wrong), None, "{wrong:?}");
        }
        let codes = make_recovery_codes();
        assert_eq!(codes.iter().collect::<std::collections::BTreeSet<_>>().len(), RECOVERY_CODES);
        for code in codes {
            assert_eq!(read_recovery_code(&in_groups(&code).to_uppercase()).as_deref(), Some(code.as_str()));
            assert_eq!(read_code(&code), None, "one is never taken for the other");
        }
        for wrong in ["", "abcd-efgh-ijkl", "abcd-efgh-ijkl-mnop-q", "ábcdefghijklmnop"] {
            assert_eq!(read_recovery_code(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_address_of_a_seed_is_one_an_app_reads() {
        let setup = setup(b"12345678901234567890", "ada+books@birchwood.example");
        assert_eq!(setup.seed, "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert_eq!(setup.address, "otpauth://totp/Tieout:ada%2Bbooks%40birchwood.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Tieout");
    }
}
