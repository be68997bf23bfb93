//! What the tests stand on: an open database with one organization, one person, one connection and as many companies as a test wants.
use domain::ids::{CompanyId, ConnectionId, OrganizationId, RunId, UserId};
use domain::job::Job;
use domain::organization::Role;
use domain::sync::Extent;
use store::companies::Found;
use store::connections::{NewConnection, Tokens};
use store::members::User;
use store::runs::{NewRun, Requested};
use store::seal::Key;
use store::{Conn, Store, Tx, companies, connections, members, runs};

/// An instant all tests begin at.
pub const NOW: i64 = 1_780_000_000_000;
pub const MINUTE: i64 = 60_000;

pub struct House {
    pub address: String,
    pub key: Key,
    pub store: Store,
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    pub connection_id: ConnectionId,
}

pub fn tokens(name: &str) -> Tokens {
    Tokens {
        access: format!("access-{name}"),
        refresh: format!("refresh-{name}"),
        access_expires_at: NOW + 60 * MINUTE,
        refresh_expires_at: NOW + 100_000 * MINUTE,
    }
}

impl House {
    pub async fn build(address: &str) -> House {
        let key = Key::random();
        let store = Store::open(address, &key).await.unwrap();
        let house = House {
            address: address.to_owned(),
            key,
            store,
            organization_id: OrganizationId::new("org"),
            user_id: UserId::new("owner"),
            connection_id: ConnectionId::new("connection"),
        };
        let mut tx = house.begin().await;
        members::insert_organization(&mut tx, &house.organization_id, "Acme", NOW).await.unwrap();
        let user = User { id: house.user_id.clone(), email: "owner@acme.example".into(), name: "Olga Owner".into(), password_hash: None };
        assert!(members::insert_user(&mut tx, &user, NOW).await.unwrap());
        members::add(&mut tx, &house.organization_id, &house.user_id, Role::Owner, NOW).await.unwrap();
        let made = house.connect(&mut tx, house.connection_id.as_str(), "identity", &tokens("first")).await;
        assert_eq!(made, Ok(()));
        tx.commit().await.unwrap();
        house
    }

    pub async fn begin(&self) -> Tx {
        self.store.begin().await.unwrap()
    }

    pub async fn read(&self) -> Conn {
        self.store.read().await.unwrap()
    }

    /// The database again, as another node opens it: with connections of its own.
    pub async fn another_node(&self) -> Store {
        Store::open(&self.address, &self.key).await.unwrap()
    }

    pub async fn connect(&self, tx: &mut Tx, id: &str, identity_key: &str, tokens: &Tokens) -> Result<(), ConnectionId> {
        let new = NewConnection {
            id: ConnectionId::new(id),
            organization_id: &self.organization_id,
            provider: "quickbooks",
            environment: "simulator",
            identity_key,
            name: "Olga at QuickBooks",
            email: "olga@acme.example",
            scope: "accounting",
            tokens,
            connected_by: &self.user_id,
            now_ms: NOW,
        };
        connections::insert(&self.store, tx, &new).await.unwrap()
    }

    /// A company the connection can see, not linked.
    pub async fn company(&self, id: &str) -> CompanyId {
        self.company_of(&self.organization_id, id).await
    }

    pub async fn company_of(&self, organization_id: &OrganizationId, id: &str) -> CompanyId {
        let mut tx = self.begin().await;
        let found = Found {
            id: CompanyId::new(id),
            organization_id,
            connection_id: &self.connection_id,
            provider: "quickbooks",
            remote_id: &format!("realm-{id}"),
            name: &format!("Books of {id}"),
            newly_granted: true,
            now_ms: NOW,
        };
        let company_id = companies::put_found(&self.store, &mut tx, &found).await.unwrap();
        tx.commit().await.unwrap();
        company_id
    }

    pub async fn organization(&self, id: &str) -> OrganizationId {
        let organization_id = OrganizationId::new(id);
        let mut tx = self.begin().await;
        members::insert_organization(&mut tx, &organization_id, id, NOW + 1).await.unwrap();
        tx.commit().await.unwrap();
        organization_id
    }

    /// Asks for a run of ordinary priority.
    pub async fn request(&self, run: &str, company_id: &CompanyId) -> Requested {
        self.request_for(run, &self.organization_id, company_id, 0).await
    }

    pub async fn request_for(&self, run: &str, organization_id: &OrganizationId, company_id: &CompanyId, priority: i64) -> Requested {
        let mut tx = self.begin().await;
        let requested = runs::request(&mut tx, &new_run(run, organization_id, company_id, priority)).await.unwrap();
        tx.commit().await.unwrap();
        requested
    }
}

pub fn new_run<'a>(id: &str, organization_id: &'a OrganizationId, company_id: &'a CompanyId, priority: i64) -> NewRun<'a> {
    NewRun {
        id: RunId::new(id),
        kind: Job::Sync,
        organization_id,
        company_id,
        extent: Extent::Changes,
        priority,
        requested_by: "schedule",
        progress: None,
        now_ms: NOW,
    }
}
