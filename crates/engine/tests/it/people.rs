//! Roles and memberships under parallel requests; invitations and links for new passwords.
use domain::clock::ManualClock;
use domain::ids::{OrganizationId, UserId};
use domain::organization::Role;
use engine::people::invitations::{self, Accepted, Guest, Obstacle};
use engine::people::{self, Actor, Assignment, passwords};
use engine::{Engine, EngineError, Settings};
use std::sync::Arc;
use store::Store;
use store::members::{self, User};
use store::seal::Key;
use testkit::each_database;
use url::Url;

const NOW: i64 = 1_780_000_000_000;
const DAY: i64 = 86_400_000;

struct Club {
    engine: Engine,
    clock: ManualClock,
    organization_id: OrganizationId,
}

impl Club {
    async fn new(url: &str) -> Club {
        let clock = ManualClock::at(NOW);
        let settings = Settings { public_url: Url::parse("http://books.example/").unwrap(), node: "test".into(), workers: 1, lease_secs: 10 };
        let engine = Engine::new(Store::open(url, &Key::random()).await.unwrap(), Default::default(), Arc::new(clock.clone()), settings);
        let organization_id = OrganizationId::new("org");
        let mut tx = engine.store.begin().await.unwrap();
        members::insert_organization(&mut tx, &organization_id, "Acme", NOW).await.unwrap();
        tx.commit().await.unwrap();
        Club { engine, clock, organization_id }
    }

    async fn join(&self, name: &str, role: Role) -> UserId {
        let id = UserId::new(name);
        let mut tx = self.engine.store.begin().await.unwrap();
        let user = User { id: id.clone(), email: format!("{name}@acme.example"), name: name.into(), password_hash: None };
        assert!(members::insert_user(&mut tx, &user, NOW).await.unwrap());
        members::add(&mut tx, &self.organization_id, &id, role, NOW).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    fn actor<'a>(&'a self, user_id: &'a UserId) -> Actor<'a> {
        Actor::person(&self.organization_id, user_id)
    }

    async fn role(&self, user_id: &UserId) -> Option<Role> {
        members::role_of(&mut self.engine.store.read().await.unwrap(), &self.organization_id, user_id).await.unwrap()
    }

    async fn owners(&self) -> i64 {
        members::count_owners(&mut self.engine.store.read().await.unwrap(), &self.organization_id).await.unwrap()
    }

    async fn token_of(&self, email: &str) -> String {
        let open = store::invitations::list_open(&mut self.engine.store.read().await.unwrap(), &self.organization_id).await.unwrap();
        open.iter().find(|invitation| invitation.email == email).unwrap().token(&self.engine.store).unwrap()
    }
}

// proves H3
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_owners_who_demote_or_remove_each_other_at_once_one_stays() {
    each_database(|url| async move {
        let club = Arc::new(Club::new(&url).await);
        let (anna, bert) = (club.join("anna", Role::Owner).await, club.join("bert", Role::Owner).await);
        for round in 0..24 {
            for owner in [&anna, &bert] {
                let mut tx = club.engine.store.begin().await.unwrap();
                members::add(&mut tx, &club.organization_id, owner, Role::Owner, NOW).await.unwrap();
                tx.commit().await.unwrap();
            }
            let gate = Arc::new(tokio::sync::Barrier::new(2));
            let attempts =
                [(anna.clone(), bert.clone(), round % 3 == 0), (bert.clone(), anna.clone(), round % 2 == 0)].map(|(actor, target, removes)| {
                    let (club, gate) = (club.clone(), gate.clone());
                    tokio::spawn(async move {
                        gate.wait().await;
                        let actor = club.actor(&actor);
                        match removes {
                            true => people::remove(&club.engine, &actor, &target).await,
                            false => people::set_role(&club.engine, &actor, &target, Role::Member).await,
                        }
                    })
                });
            let mut succeeded = 0;
            for attempt in attempts {
                match attempt.await.unwrap() {
                    Ok(()) => succeeded += 1,
                    // the second is no Owner any more, or would have been the last
                    Err(EngineError::NotAllowed(_) | EngineError::Refused(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!((succeeded, club.owners().await), (1, 1), "round {round}");
        }
        // both leave at once: one stays
        let mut tx = club.engine.store.begin().await.unwrap();
        for owner in [&anna, &bert] {
            members::add(&mut tx, &club.organization_id, owner, Role::Owner, NOW).await.unwrap();
        }
        tx.commit().await.unwrap();
        let leave = |who: UserId| {
            let club = club.clone();
            tokio::spawn(async move { people::remove(&club.engine, &club.actor(&who), &who).await })
        };
        let (first, second) = (leave(anna.clone()), leave(bert.clone()));
        let left = [first.await.unwrap().is_ok(), second.await.unwrap().is_ok()];
        assert_eq!((left.iter().filter(|left| **left).count(), club.owners().await), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn who_may_change_whom_is_asked_in_the_same_transaction() {
    each_database(|url| async move {
        let club = Club::new(&url).await;
        let (owner, admin, member) = (club.join("owner", Role::Owner).await, club.join("admin", Role::Admin).await, club.join("member", Role::Member).await);
        let not_allowed = |result: Result<(), EngineError>| matches!(result, Err(EngineError::NotAllowed(_)));
        let engine = &club.engine;
        assert!(not_allowed(people::set_role(engine, &club.actor(&member), &admin, Role::Member).await));
        assert!(not_allowed(people::set_role(engine, &club.actor(&admin), &member, Role::Owner).await));
        assert!(not_allowed(people::set_role(engine, &club.actor(&admin), &owner, Role::Member).await));
        assert!(not_allowed(people::set_role(engine, &club.actor(&admin), &admin, Role::Member).await), "nobody changes their own");
        assert!(not_allowed(people::remove(engine, &club.actor(&member), &admin).await));
        assert!(matches!(people::remove(engine, &club.actor(&owner), &owner).await, Err(EngineError::Refused(sentence)) if sentence.contains("last Owner")));
        assert!(matches!(people::set_role(engine, &club.actor(&owner), &UserId::new("nobody"), Role::Admin).await, Err(EngineError::NotFound)));
        people::set_role(engine, &club.actor(&owner), &member, Role::Admin).await.unwrap();
        assert_eq!(club.role(&member).await, Some(Role::Admin));
        people::remove(engine, &club.actor(&member), &admin).await.unwrap();
        assert_eq!(club.role(&admin).await, None);
        assert!(not_allowed(people::set_role(engine, &club.actor(&admin), &member, Role::Member).await), "a former Admin acts no more");
        let assigned = [Assignment { user_id: member.clone(), company_id: domain::ids::CompanyId::new("unknown"), reads: true }];
        assert_eq!(people::assign(engine, &club.actor(&owner), &assigned).await.unwrap(), 0, "an unknown company is passed over");
        let own = people::create_organization(engine, &member, " Second ").await.unwrap();
        assert_eq!(members::role_of(&mut engine.store.read().await.unwrap(), &own, &member).await.unwrap(), Some(Role::Owner));
        people::rename_organization(engine, &Actor::person(&own, &member), "Third").await.unwrap();
        assert_eq!(members::organization_name(&mut engine.store.read().await.unwrap(), &own).await.unwrap().as_deref(), Some("Third"));
    })
    .await;
}

#[tokio::test]
async fn several_are_invited_or_none_and_an_invitation_ends_once() {
    each_database(|url| async move {
        let club = Club::new(&url).await;
        let owner = club.join("owner", Role::Owner).await;
        let (engine, actor) = (&club.engine, club.actor(&owner));
        let address = |name: &str| format!("{name}@new.example");
        let sent = invitations::invite(engine, &actor, &[address("a"), address("b")], Role::Member, &[]).await.unwrap();
        assert_eq!(sent, Ok(2));
        let refused =
            invitations::invite(engine, &actor, &[address("c"), address("a"), "owner@acme.example".into()], Role::Admin, &[]).await.unwrap();
        assert_eq!(refused, Err(vec![(address("a"), Obstacle::Invited), ("owner@acme.example".into(), Obstacle::Member)]));
        let open = store::invitations::list_open(&mut engine.store.read().await.unwrap(), &club.organization_id).await.unwrap();
        assert_eq!(open.len(), 2, "nothing half done: c is not invited either");
        assert!(matches!(invitations::invite(engine, &actor, &[address("d")], Role::Owner, &[]).await, Err(EngineError::NotAllowed(_))));

        let token = club.token_of(&address("a")).await;
        assert_eq!(invitations::accept(engine, &token, Guest::Known(&owner)).await.unwrap(), Accepted::OtherAddress);
        assert_eq!(invitations::accept(engine, "wrong", Guest::Known(&owner)).await.unwrap(), Accepted::Void);
        // two tabs at once: one joins
        let new = || Guest::New { name: "Anna", password_hash: "made-up".into() };
        let (first, second) = tokio::join!(invitations::accept(engine, &token, new()), invitations::accept(engine, &token, new()));
        let joined = [first.unwrap(), second.unwrap()].iter().filter(|accepted| matches!(accepted, Accepted::Joined(_, _))).count();
        assert_eq!(joined, 1);
        assert_eq!(invitations::accept(engine, &token, new()).await.unwrap(), Accepted::HasAccount);

        let b = open.iter().find(|invitation| invitation.email == address("b")).unwrap();
        let token = club.token_of(&address("b")).await;
        assert_eq!(b.expires_at, b.sent_at + 72 * 3_600_000);
        club.clock.advance_ms(3 * DAY);
        assert_eq!(invitations::accept(engine, &token, new()).await.unwrap(), Accepted::Void, "72 hours are over");
        assert!(!invitations::decline(engine, &token).await.unwrap());
        invitations::resend(engine, &actor, &b.id).await.unwrap();
        assert_eq!(club.token_of(&address("b")).await, token, "its link stays");
        assert!(invitations::decline(engine, &token).await.unwrap());
        assert!(matches!(invitations::resend(engine, &actor, &b.id).await, Err(EngineError::Refused(_))));
        assert!(matches!(invitations::cancel(engine, &actor, &b.id).await, Err(EngineError::Refused(_))));
        assert_eq!(invitations::invite(engine, &actor, &[address("b")], Role::Member, &[]).await.unwrap(), Ok(1), "asked again after a no");
    })
    .await;
}

#[tokio::test]
async fn a_link_for_a_new_password_counts_once_for_an_hour_and_ends_every_session() {
    each_database(|url| async move {
        let club = Club::new(&url).await;
        let (owner, admin, member) = (club.join("owner", Role::Owner).await, club.join("admin", Role::Admin).await, club.join("member", Role::Member).await);
        let engine = &club.engine;
        let token = |link: Url| link.path().rsplit('/').next().unwrap().to_owned();
        assert!(matches!(passwords::make_link_for(engine, &club.actor(&admin), &owner).await, Err(EngineError::NotAllowed(_))));
        let first = token(passwords::make_link_for(engine, &club.actor(&admin), &member).await.unwrap());
        let second = passwords::make_link(engine, &member).await.unwrap();
        assert!(second.as_str().starts_with("http://books.example/password/"), "the configured address");
        let second = token(second);
        let mut tx = engine.store.begin().await.unwrap();
        store::sessions::insert(&mut tx, "session", &member, &club.organization_id, NOW, NOW + DAY).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(passwords::set(engine, &first, "hash").await.unwrap(), None, "the latest counts");
        assert_eq!(passwords::set(engine, &second, "hash").await.unwrap(), Some(member.clone()));
        assert_eq!(passwords::set(engine, &second, "hash").await.unwrap(), None, "once");
        let mut conn = engine.store.read().await.unwrap();
        assert!(store::sessions::find(&mut conn, "session", NOW).await.unwrap().is_none());
        assert_eq!(members::find_user(&mut conn, &member).await.unwrap().unwrap().password_hash.as_deref(), Some("hash"));
        drop(conn);
        let late = token(passwords::make_link(engine, &member).await.unwrap());
        club.clock.advance_ms(3_600_000);
        assert_eq!(passwords::set(engine, &late, "other").await.unwrap(), None, "an hour is over");
        people::create_organization(engine, &member, "Second").await.unwrap();
        assert!(matches!(passwords::make_link_for(engine, &club.actor(&owner), &member).await, Err(EngineError::Refused(sentence)) if sentence.contains("other organizations")));
    })
    .await;
}
