//! The components and Services of a farm, to iterate over them.

use super::{Component, Dhcp, Kubernetes, ServiceKeys, Values};

/// Every component of `$values`, and its path. All keys are listed here, so that a new section does not compile before
/// it is decided whether it is a component.
macro_rules! components {
    ($values:ident) => {{
        let Values {
            kubernetes,
            ltsp,
            dhcp,
            name: _,
            name_override: _,
            fullname_override: _,
            global: _,
            join: _,
            token_generator: _,
            node_pools: _,
            tags: _,
            pki: _,
            network_policies: _,
            extra_objects: _,
            patches: _,
        } = $values;
        let Kubernetes {
            etcd,
            api_server,
            controller_manager,
            scheduler,
            admin,
            agent,
            coredns,
            konnectivity_server,
            konnectivity_agent,
            kube_proxy,
            enabled: _,
            version: _,
            name_override: _,
            fullname_override: _,
            certname_override: _,
            control_plane_endpoint: _,
            networking: _,
            persistence: _,
            kubelet: _,
            extra_manifests: _,
        } = kubernetes;
        let Dhcp {
            controller,
            standalone,
            mode: _,
            install_controller: _,
        } = dhcp;
        [
            ("kubernetes.etcd", etcd),
            ("kubernetes.apiServer", api_server),
            ("kubernetes.controllerManager", controller_manager),
            ("kubernetes.scheduler", scheduler),
            ("kubernetes.admin", admin),
            ("kubernetes.agent", agent),
            ("kubernetes.kubeProxy", kube_proxy),
            ("kubernetes.coredns", coredns),
            ("kubernetes.konnectivityServer", konnectivity_server),
            ("kubernetes.konnectivityAgent", konnectivity_agent),
            ("ltsp", ltsp),
            ("dhcp.controller", controller),
            ("dhcp.standalone", standalone),
        ]
    }};
}

impl Values {
    /// Every component, and its path.
    pub fn components(&self) -> [(&'static str, &dyn Component); 13] {
        components!(self)
    }

    /// The same, to be changed.
    pub fn components_mut(&mut self) -> [(&'static str, &mut dyn Component); 13] {
        components!(self)
    }

    /// Every Service: its path and its common keys.
    pub fn services(&self) -> impl Iterator<Item = (String, ServiceKeys<'_>)> {
        let components = self.components().into_iter();
        components
            .filter_map(|(path, component)| Some((format!("{path}.service"), component.service()?)))
    }
}
