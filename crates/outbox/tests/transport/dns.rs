//! A scripted name server over UDP.

use std::{collections::BTreeMap, net::SocketAddr};

use hickory_resolver::proto::{
    op::{Message, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, MX, SOA},
    },
};
use tokio::{net::UdpSocket, task::JoinSet};

/// The names a server knows; a name it does not know does not exist.
#[derive(Default)]
pub(crate) struct Zone {
    records: BTreeMap<String, Vec<RData>>,
    codes: BTreeMap<String, ResponseCode>,
    without_soa: bool,
}

/// A running name server; it ends when dropped.
pub(crate) struct Dns {
    pub(crate) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Zone {
    pub(crate) fn mx(mut self, name: &str, preference: u16, host: &str) -> Self {
        let host = Name::from_ascii(format!("{}.", host.trim_end_matches('.'))).unwrap();
        self.records.entry(name.to_owned()).or_default().push(RData::MX(MX::new(preference, host)));
        self
    }

    pub(crate) fn a(mut self, name: &str, address: &str) -> Self {
        let address = RData::A(A(address.parse().unwrap()));
        self.records.entry(name.to_owned()).or_default().push(address);
        self
    }

    /// Answers every question about the name with a code.
    pub(crate) fn code(mut self, name: &str, code: ResponseCode) -> Self {
        self.codes.insert(name.to_owned(), code);
        self
    }

    /// Says no without naming the zone's authority.
    pub(crate) fn without_soa(mut self) -> Self {
        self.without_soa = true;
        self
    }

    pub(crate) async fn start(self) -> Dns {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut buffer = [0; 1500];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
                let question = Message::from_vec(buffer.get(..length).unwrap()).unwrap();
                socket.send_to(&self.answer(&question).to_vec().unwrap(), peer).await.unwrap();
            }
        });
        Dns { address, _tasks: tasks }
    }

    fn answer(&self, question: &Message) -> Message {
        let query = question.queries.first().unwrap().clone();
        let (name, kind) = (query.name().clone(), query.query_type());
        let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
        answer.add_query(query);
        let key = name.to_ascii().trim_end_matches('.').to_ascii_lowercase();
        if let Some(code) = self.codes.get(&key) {
            answer.metadata.response_code = *code;
            return answer;
        }
        let known = self.records.get(&key);
        let found = known.into_iter().flatten().filter(|data| data.record_type() == kind);
        answer.add_answers(found.map(|data| Record::from_rdata(name.clone(), 60, data.clone())));
        if known.is_none() {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        if answer.answers.is_empty() && !self.without_soa {
            answer.add_authority(authority());
        }
        answer
    }
}

fn authority() -> Record {
    let name = Name::from_ascii("example.").unwrap();
    let soa = SOA::new(name.clone(), name.clone(), 1, 60, 60, 60, 60);
    assert_eq!(RData::SOA(soa.clone()).record_type(), RecordType::SOA);
    Record::from_rdata(name, 60, RData::SOA(soa))
}
