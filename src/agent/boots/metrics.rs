//! Metrics for Prometheus.

use std::collections::HashMap;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::nodes::boot::Stage;

/// From the first request for an address to a Node that is Ready, in seconds.
const BOOT_SECONDS: [f64; 9] = [30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1800.0];

/// What is counted.
pub(super) struct Metrics {
    registry: Registry,
    machines: Family<[(&'static str, &'static str); 1], Gauge>,
    stopped: Family<[(&'static str, &'static str); 1], Gauge>,
    joins: Family<[(&'static str, &'static str); 1], Counter>,
    boots: Histogram,
}

impl Metrics {
    pub fn new() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("kubefarm"),
            machines: Family::default(),
            stopped: Family::default(),
            joins: Family::default(),
            boots: Histogram::new(BOOT_SECONDS),
        };
        let registry = &mut metrics.registry;
        registry.register(
            "machines",
            "Machines that were seen, by stage",
            metrics.machines.clone(),
        );
        registry.register(
            "machines_stopped",
            "Machines that a fault keeps in their stage",
            metrics.stopped.clone(),
        );
        registry.register(
            "join_requests",
            "Requests to join, by outcome",
            metrics.joins.clone(),
        );
        registry.register(
            "boot_duration_seconds",
            "Time from the first request for an address until the Node was Ready",
            metrics.boots.clone(),
        );
        metrics
    }

    pub fn granted(&self) {
        self.joins.get_or_create(&[("outcome", "granted")]).inc();
    }

    pub fn refused(&self) {
        self.joins.get_or_create(&[("outcome", "refused")]).inc();
    }

    pub fn booted(&self, seconds: f64) {
        self.boots.observe(seconds);
    }

    /// All of them, as OpenMetrics (openmetrics.io), with machines counted by stage and by whether a fault keeps them
    /// there.
    pub fn text(&self, machines: &HashMap<(Stage, bool), i64>) -> String {
        for stage in Stage::ALL {
            let count = |stopped| machines.get(&(stage, stopped)).copied().unwrap_or_default();
            let label = [("stage", stage.name())];
            self.machines
                .get_or_create(&label)
                .set(count(false) + count(true));
            self.stopped.get_or_create(&label).set(count(true));
        }
        let mut text = String::new();
        // A String takes any text.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
