//! How a page looks: it fits a phone and a desk, and it keeps nobody out, in light and dark. `make screenshots` keeps the pictures.

use std::path::PathBuf;

use serde_json::json;

use super::accessibility::{Rules, violations};
use super::person::Person;

/// Where pictures go, when they are asked for.
pub fn gallery() -> Option<PathBuf> {
    std::env::var_os("TIEOUT_SCREENSHOTS")?;
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("e2e lies in the workspace").join("target/screenshots");
    std::fs::create_dir_all(&folder).expect("the folder of pictures can be made");
    Some(folder)
}

/// Widths of the narrowest page that has to flow (WCAG 1.4.10), of the phone that pictures are of, and of a desk.
const SIZES: [(u32, u32); 3] = [(320, 780), (390, 844), (1440, 900)];

/// Looks at the page as it stands on phone and desk, in light and dark, and tells what is wrong with it.
pub async fn faults(person: &Person, name: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (width, height) in SIZES {
        let (is_judged, is_drawn) = (width != 390, width != 320 && gallery().is_some());
        if !is_judged && !is_drawn {
            continue;
        }
        person.resize(width, height).await;
        if is_judged {
            faults.extend(sticking_out(person).await.map(|out| format!("{name} is wider than {width} pixels: {out}")));
            if width != 320 {
                faults.extend(cut_off_when_spaced(person).await.into_iter().map(|out| format!("{name} at {width}, with its text spaced out: {out}")));
            }
            faults.extend(violations(person, Rules::All).await.into_iter().map(|fault| format!("{name} at {width}: {fault}")));
            faults.extend(for_mice_only(person).await.into_iter().map(|node| format!("{name} has what a keyboard does not reach: {node}")));
            faults.extend(dead_ends(person).await.into_iter().map(|words| format!("{name} has nothing to show, and no next step: {words}")));
        }
        picture(person, is_drawn, &format!("{name}-{width}-light")).await;
        if width == 320 {
            continue;
        }
        prefer(person, "dark").await;
        if is_judged {
            faults.extend(violations(person, Rules::Contrast).await.into_iter().map(|fault| format!("{name} in the dark: {fault}")));
        }
        picture(person, is_drawn, &format!("{name}-{width}-dark")).await;
        prefer(person, "light").await;
    }
    faults
}

/// Draws a page that is not ours.
pub async fn draw(person: &Person, name: &str) {
    for (width, height) in SIZES.into_iter().skip(1) {
        person.resize(width, height).await;
        for scheme in ["dark", "light"] {
            prefer(person, scheme).await;
            picture(person, true, &format!("{name}-{width}-{scheme}")).await;
        }
    }
}

/// Light or dark, whatever the machine prefers, and at once: with less motion nothing fades from one to the other.
async fn prefer(person: &Person, scheme: &str) {
    let features = json!([{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]);
    person.devtools("Emulation.setEmulatedMedia", json!({"features": features})).await;
}

async fn picture(person: &Person, is_drawn: bool, name: &str) {
    if let Some(folder) = gallery().filter(|_| is_drawn) {
        person.screenshot(&folder.join(format!("{name}.png"))).await;
    }
}

/// Places that say there is nothing, or that something failed, and lead nowhere.
async fn dead_ends(person: &Person) -> Vec<String> {
    let script = "return [...document.querySelectorAll('.empty, .card.result')]
        .filter((place) => !place.querySelector('a[href], button')).map((place) => place.innerText)";
    serde_json::from_value(person.ask(script).await).expect("words are texts")
}

/// What can be clicked and is no stop of the Tab key, nor one of the arrows within a menu or list.
async fn for_mice_only(person: &Person) -> Vec<String> {
    let script = "const control = 'a[href], button, input, select, textarea, summary, label, option, [role=option], [tabindex]';
         const shown = (node) => node.checkVisibility({ visibilityProperty: true }) && node.getClientRects().length > 0;
         return [...document.querySelectorAll('body *')].filter((node) => {
             const own = node.closest(control);
             if (!own) return getComputedStyle(node).cursor === 'pointer' && shown(node);
             return node === own && own.tabIndex < 0 && !own.disabled && own.matches('a[href], button, input:not([type=hidden]), select, textarea, summary')
                 && !own.closest('[role=menu], [role=listbox], [inert], [aria-hidden=true]') && shown(own);
         }).map((node) => node.outerHTML.slice(0, 120))";
    serde_json::from_value(person.ask(script).await).expect("elements are texts")
}

/// What sticks out or is cut off when somebody spaces the text out as WCAG 1.4.12 has it; names that end in an ellipsis are whole on the page they lead to.
async fn cut_off_when_spaced(person: &Person) -> Vec<String> {
    let script = "const spaced = new CSSStyleSheet();
         spaced.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }');
         document.adoptedStyleSheets = [spaced];
         const small = (node) => node.scrollWidth > node.clientWidth + 2 || node.scrollHeight > node.clientHeight + 3;
         const cut = (node) => {
             const style = getComputedStyle(node);
             const hides = style.overflowX === 'hidden' || style.overflowY === 'hidden' || node.matches('button, a.button');
             return hides && style.textOverflow !== 'ellipsis' && !node.closest('.sr') && node.checkVisibility() && small(node);
         };
         const out = [...document.querySelectorAll('main *')].filter((node) => !node.children.length && node.textContent.trim() && cut(node));
         const wide = document.documentElement.scrollWidth > innerWidth ? ['the page is wider than the window'] : [];
         document.adoptedStyleSheets = [];
         return wide.concat(out.map((node) => node.outerHTML.slice(0, 120)))";
    serde_json::from_value(person.ask(script).await).expect("elements are texts")
}

/// What makes the page scroll sideways.
async fn sticking_out(person: &Person) -> Option<String> {
    let wide = person
        .ask(
            "const root = document.documentElement;
             if (root.scrollWidth <= innerWidth) return null;
             const out = [...document.querySelectorAll('body *')].filter((node) => node.getBoundingClientRect().right > innerWidth + 1);
             return [root.scrollWidth, innerWidth, out.slice(0, 6).map((node) => node.outerHTML.slice(0, 120))];",
        )
        .await;
    (!wide.is_null()).then(|| wide.to_string())
}
