//! Our icons: symbols of one sprite, drawn in the colour of the text beside them.
use std::fmt;

/// A symbol of `assets/icons.svg`. It is decoration: the word stands beside it.
#[derive(Clone, Copy)]
pub struct Icon(&'static str);

/// `{{ crate::parts::icon::icon("check") }}` in a template.
pub fn icon(name: &'static str) -> Icon {
    debug_assert!(crate::assets::has_icon(name), "assets/icons.svg has no symbol {name}");
    Icon(name)
}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = if self.0 == "spinner" { "icon spins" } else { "icon" };
        write!(f, "<svg class=\"{class}\" aria-hidden=\"true\"><use href=\"{}#{}\"/></svg>", crate::assets::ICONS.path, self.0)
    }
}

/// Built from names of ours only.
impl askama::filters::HtmlSafe for Icon {}

/// The mark of a provider: our own drawing, with a neutral one for providers that have none yet.
pub fn provider_mark(provider: &str) -> Icon {
    match provider {
        "quickbooks" => Icon("provider-quickbooks"),
        "xero" => Icon("provider-xero"),
        _ => Icon("provider"),
    }
}

#[cfg(test)]
mod tests {
    /// Every `icon("name")` of the templates and sources is in the sprite.
    #[test]
    fn every_icon_a_page_asks_for_is_drawn() {
        let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                for part in text.split("icon(\"").skip(1) {
                    let name = part.split('"').next().unwrap();
                    if name == "name" {
                        continue;
                    }
                    seen += 1;
                    assert!(crate::assets::has_icon(name), "{}: no icon {name}", path.display());
                }
            }
        }
        assert!(seen > 20);
        for name in ["provider-quickbooks", "provider-xero", "provider"] {
            assert!(crate::assets::has_icon(name), "{name}");
        }
    }
}
