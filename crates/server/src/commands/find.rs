//! Finds the company a person means: by id, or by a name that is enough.
use crate::boot::Failure;
use store::Store;
use store::companies::{self, Company};

pub async fn company(store: &Store, wanted: &str) -> Result<Company, Failure> {
    let all = companies::list_all_linked(&mut store.read().await?).await?;
    if let Some(exact) = all.iter().find(|company| company.id.as_str() == wanted || company.name.eq_ignore_ascii_case(wanted)) {
        return Ok(exact.clone());
    }
    let lower = wanted.to_lowercase();
    let mut found = all.iter().filter(|company| company.name.to_lowercase().contains(&lower));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only.clone()),
        (Some(first), Some(second)) => Err(Failure::Setup(format!(
            "`{wanted}` fits several companies, among them {} and {}; give the whole name or the id",
            first.name, second.name
        ))),
        (None, _) if all.is_empty() => Err(Failure::Setup("no company is linked yet; connect one on the Integrations page".into())),
        (None, _) => {
            let names: Vec<&str> = all.iter().take(5).map(|company| company.name.as_str()).collect();
            Err(Failure::Setup(format!("no linked company is called `{wanted}`; there are: {}", names.join(", "))))
        }
    }
}
