//! A picture that a phone's camera reads: black on white in every theme, drawn into the page, since the policy takes pictures from files only.
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt;

/// ISO/IEC 18004, 6.3.8: a margin of four modules.
const MARGIN: i32 = 4;

/// `{{ qr }}` in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qr {
    size: i32,
    /// The dark modules, as one path.
    path: String,
}

impl Qr {
    pub fn of(text: &str) -> Qr {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).expect("an address of some hundred letters fits");
        let mut path = String::new();
        for y in 0..code.size() {
            for x in 0..code.size() {
                if code.get_module(x, y) {
                    path.push_str(&format!("M{} {}h1v1h-1z", x + MARGIN, y + MARGIN));
                }
            }
        }
        Qr { size: code.size() + 2 * MARGIN, path }
    }
}

impl fmt::Display for Qr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, path) = (self.size, &self.path);
        write!(
            f,
            "<svg width=\"220\" height=\"220\" viewBox=\"0 0 {size} {size}\" shape-rendering=\"crispEdges\" role=\"img\" aria-label=\"QR code of the key below\">\
             <rect width=\"{size}\" height=\"{size}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
        )
    }
}

/// Numbers and letters of ours only.
impl askama::filters::HtmlSafe for Qr {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_holds_the_three_corners_that_a_camera_looks_for() {
        let qr = Qr::of("otpauth://totp/Tieout:ada%40birchwood.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Tieout");
        let is_dark = |x: i32, y: i32| qr.path.contains(&format!("M{x} {y}h1"));
        let last = qr.size - MARGIN - 7;
        for (left, top) in [(MARGIN, MARGIN), (last, MARGIN), (MARGIN, last)] {
            for at in 0..7 {
                for (x, y) in [(left + at, top), (left + at, top + 6), (left, top + at), (left + 6, top + at)] {
                    assert!(is_dark(x, y), "{x} {y}");
                }
            }
            assert!(!is_dark(left + 1, top + 1) && is_dark(left + 3, top + 3));
        }
        let shown = qr.to_string();
        assert!(!shown.contains("style") && !shown.contains("data:"), "the policy forbids both: {shown}");
    }
}
