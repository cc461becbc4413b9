//! A node that was taken over writes nothing.

use std::sync::{Arc, Mutex, mpsc};

use engine::{EngineOptions, Fault, Step};
use testdesk::{on_both, quick};
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_node_is_taken_over_and_writes_nothing_when_it_wakes() {
    on_both(quick(), async |desk| {
        // Frozen between reading the mails and deciding them; its lease has no duration.
        let (shut, gate) = mpsc::channel::<()>();
        let (arrived, is_there) = mpsc::channel();
        let (gate, arrived) = (Mutex::new(gate), Mutex::new(arrived));
        let freeze: Fault = Arc::new(move |step, _: &[u8]| {
            if step == Step::Parse {
                let _ = arrived.lock().unwrap().send(());
                // Ends when the other side is dropped.
                let _ = gate.lock().unwrap().recv();
            }
        });
        let options = EngineOptions { holder: "frozen".into(), lease_ms: 0, fault: Some(freeze), ..quick() };
        let frozen = desk.node(options).await;
        desk.receive(&["Message-ID: <a@customer.example>\n\nOne", "Message-ID: <b@customer.example>\n\nTwo"])
            .await;
        let stop = CancellationToken::new();
        let sorter = tokio::spawn({
            let (frozen, stop) = (frozen.clone(), stop.clone());
            async move { frozen.run_sorter(stop).await }
        });
        tokio::task::spawn_blocking(move || is_there.recv().unwrap()).await.unwrap();

        desk.work().await;
        assert_eq!(desk.outcomes().await, ["new_ticket 1", "new_ticket 2"]);
        let before = (desk.ledger().await, desk.outbox().await.len());

        drop(shut);
        // It finishes what it has in hand, and is fenced off.
        stop.cancel();
        sorter.await.unwrap();
        assert_eq!((desk.ledger().await, desk.outbox().await.len()), before);
        assert_eq!((desk.comments(1).await.len(), desk.comments(2).await.len()), (1, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_side_by_side_decide_every_mail_once() {
    on_both(quick(), async |desk| {
        let options = |holder: &str| EngineOptions { holder: holder.into(), batch_max: 3, ..quick() };
        let nodes = [desk.node(options("a")).await, desk.node(options("b")).await];
        let stop = CancellationToken::new();
        let sorters: Vec<_> = nodes
            .iter()
            .map(|node| {
                let (node, stop) = (node.clone(), stop.clone());
                tokio::spawn(async move { node.run_sorter(stop).await })
            })
            .collect();
        for part in 0..4 {
            let mails: Vec<String> =
                (0..10).map(|n| format!("Message-ID: <{part}-{n}@customer.example>\n\n{part} {n}")).collect();
            desk.receive(&mails.iter().map(String::as_str).collect::<Vec<_>>()).await;
        }
        desk.until("all mail is decided", async || desk.ledger().await.len() == 40).await;
        stop.cancel();
        for sorter in sorters {
            sorter.await.unwrap();
        }
        let want: Vec<String> = (1..=40).map(|n| format!("new_ticket {n}")).collect();
        assert_eq!(
            desk.outcomes().await,
            want,
            "one account's mail is decided in order, no matter which node decides it"
        );
    })
    .await;
}
