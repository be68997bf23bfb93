//! The stylesheet, the script and the icons, compiled in and served under names that change with their content.
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

pub struct Asset {
    /// `/assets/app-1a2b3c4d5e6f.css`
    pub path: String,
    content_type: &'static str,
    body: &'static str,
}

impl Asset {
    fn new(name: &str, ending: &str, content_type: &'static str, body: &'static str) -> Asset {
        let hash = hex::encode(&Sha256::digest(body.as_bytes())[..6]);
        Asset { path: format!("/assets/{name}-{hash}.{ending}"), content_type, body }
    }
}

pub static STYLE: LazyLock<Asset> = LazyLock::new(|| Asset::new("app", "css", "text/css; charset=utf-8", include_str!("../assets/app.css")));
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| Asset::new("app", "js", "text/javascript; charset=utf-8", include_str!("../assets/app.js")));
pub static PALETTE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("palette", "js", "text/javascript; charset=utf-8", include_str!("../assets/palette.js")));
pub static ICONS: LazyLock<Asset> = LazyLock::new(|| Asset::new("icons", "svg", "image/svg+xml", include_str!("../assets/icons.svg")));
pub static FAVICON: LazyLock<Asset> = LazyLock::new(|| Asset::new("favicon", "svg", "image/svg+xml", include_str!("../assets/favicon.svg")));

/// The symbols of the sprite, for a check that no page asks for one that is missing.
pub fn has_icon(name: &str) -> bool {
    ICONS.body.contains(&format!("id=\"{name}\""))
}

/// GET /assets/{name}
pub async fn show(Path(name): Path<String>) -> Response {
    for asset in [&*STYLE, &*SCRIPT, &*PALETTE, &*ICONS, &*FAVICON] {
        if asset.path.strip_prefix("/assets/") == Some(name.as_str()) {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
                // the name changes with the content
                (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
            ];
            return (headers, asset.body).into_response();
        }
    }
    StatusCode::NOT_FOUND.into_response()
}
