//! The manifests are what they should be, and allow what the code asks and nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Parser as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, PodSpec, Service, ServiceAccount};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use serde::de::DeserializeOwned;
use tenure_kubernetes::Options;
use tenure_kubernetes::objects::LABEL;

use crate::server::Support;
use crate::world::{World, until};

const RBAC: &str = include_str!("../../manifests/1-rbac.yaml");
const DEPLOYMENT: &str = include_str!("../../manifests/2-deployment.yaml");
const DEMO: &str = include_str!("../../manifests/demo.yaml");

/// The documents of this kind. Fields that Kubernetes does not know are lost in reading, and fail.
fn all<T: DeserializeOwned + serde::Serialize>(file: &str, kind: &str) -> Vec<T> {
    let documents = file.split("\n---\n").map(|text| {
        let value: serde_json::Value = serde_saphyr::from_str(text).unwrap();
        value
    });
    let read = |value: serde_json::Value| {
        let object: T = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(
            serde_json::to_value(&object).unwrap(),
            value,
            "a field that {kind} does not have"
        );
        object
    };
    documents.filter(|value| value["kind"] == kind).map(read).collect()
}

fn one<T: DeserializeOwned + serde::Serialize>(file: &str, kind: &str) -> T {
    let mut all = all(file, kind);
    assert_eq!(all.len(), 1, "{kind}");
    all.remove(0)
}

#[test]
fn the_deployment_fits_the_command() {
    let deployment: Deployment = one(DEPLOYMENT, "Deployment");
    let template = deployment.spec.template;
    let pod: PodSpec = template.spec.unwrap();
    let [container] = &pod.containers[..] else { panic!("one container") };
    let arguments = container.args.as_ref().unwrap().iter().map(String::as_str);
    let options = Options::try_parse_from(["controller"].into_iter().chain(arguments)).unwrap();
    let killed =
        Duration::from_secs(pod.termination_grace_period_seconds.unwrap().try_into().unwrap());
    assert!(options.grace < killed, "it is killed before it has left");
    assert!(options.renew_deadline < options.grace, "a call may take so long before it can leave");

    let port = &container.ports.as_ref().unwrap()[0];
    assert_eq!(i32::from(options.listen.port()), port.container_port);
    let path = |probe: &Option<k8s_openapi::api::core::v1::Probe>| {
        probe.as_ref().and_then(|probe| probe.http_get.as_ref()?.path.clone())
    };
    assert_eq!(path(&container.liveness_probe).as_deref(), Some("/livez"));
    assert_eq!(path(&container.readiness_probe).as_deref(), Some("/readyz"));
    let names = container.env.as_ref().unwrap().iter().map(|env| env.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["POD_NAME", "POD_NAMESPACE"]);
    let security = container.security_context.as_ref().unwrap();
    assert_eq!(security.read_only_root_filesystem, Some(true));
    assert_eq!(pod.security_context.unwrap().run_as_non_root, Some(true));

    let labels = template.metadata.unwrap().labels;
    let service: Service = one(DEPLOYMENT, "Service");
    assert_eq!(service.spec.unwrap().selector, labels);
    let budget: PodDisruptionBudget = one(DEPLOYMENT, "PodDisruptionBudget");
    assert_eq!(budget.spec.unwrap().selector.unwrap().match_labels, labels);
    let account: ServiceAccount = one(RBAC, "ServiceAccount");
    assert_eq!(pod.service_account_name, account.metadata.name);
    let binding: RoleBinding = one(RBAC, "RoleBinding");
    let subject = &binding.subjects.unwrap()[0];
    assert_eq!(Some(&subject.name), account.metadata.name.as_ref());
    assert_eq!(subject.namespace, account.metadata.namespace);
    assert_eq!(Some(binding.role_ref.name), one::<Role>(RBAC, "Role").metadata.name);
    let namespace: Namespace = one(RBAC, "Namespace");
    assert_eq!(namespace.metadata.name, deployment.metadata.namespace);
    for demo in all::<ConfigMap>(DEMO, "ConfigMap") {
        let (label, value) = LABEL.split_once('=').unwrap();
        assert_eq!(demo.metadata.labels.unwrap()[label], value);
    }
}

/// All verbs that the code uses in its modes, on what.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_role_has_the_rights_that_are_used_and_no_others() {
    let mut used = BTreeSet::new();
    for mode in ["--mode=leader", "--sharding=ranked", "--sharding=planned"] {
        let mut world = World::new(Support::Honoured, 4, &[mode, "--collect-after=1s"]).await;
        world.start("pod-0");
        world.only(&["pod-0"]).await;
        world.start("pod-1");
        world.settled().await;
        let [leases, maps] = ["leases", "configmaps"];
        let called = |verb: &str, on: &str| !world.server.called(verb, on).is_empty();
        until("both watch", || mode == "--mode=leader" || called("watch", leases)).await;
        until("objects are watched", || called("watch", maps)).await;
        world.leave("pod-0").await;
        // The record of who has left is deleted after a while, by somebody else.
        let gone = || !world.server.called("delete", "leases").is_empty();
        if mode != "--mode=leader" {
            until("the record is deleted", gone).await;
        }
        let state = world.server.state();
        used.extend(
            state.calls.iter().map(|call| (call.resource.to_owned(), call.verb.to_owned())),
        );
    }
    let role: Role = one(RBAC, "Role");
    let mut allowed = BTreeSet::new();
    for rule in role.rules.unwrap() {
        let [group] = &rule.api_groups.unwrap()[..] else { panic!("one group") };
        for resource in rule.resources.unwrap() {
            let of = if resource == "leases" { "coordination.k8s.io" } else { "" };
            assert_eq!(group, of);
            allowed.extend(rule.verbs.iter().map(|verb| (resource.clone(), verb.clone())));
        }
    }
    assert_eq!(allowed, used);
}
