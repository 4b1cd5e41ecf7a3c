/** An entry as a client sees it on the wire, reduced to what the checks need. */
export type SeenEntry = {
  conversationId: string;
  seq: number;
  type: string;
  /** Of `message:new`. */
  clientMsgId?: string;
  senderId?: string;
  /** Of `member:added`. */
  userIds?: string[];
  /** Of `member:removed`. */
  userId?: string;
};

/** A send that was answered with `ok`. */
export type AckedSend = { conversationId: string; seq: number; senderId: string; clientMsgId: string };

/** A send that has no definitive answer, and why the last try or connection failed. */
export type OpenSend = { conversationId: string; clientMsgId: string; lastFailure: string };

/** A time during which somebody was certainly no member: from the answer to the removal to the request to add again. */
export type Absence = { conversationId: string; userId: string; removedSeq: number; from: number; until: number };

/** What one device's callback was given, in the order in which it was given. */
export type DeviceView = {
  device: string;
  userId: string;
  /** Entries that were applied. */
  applied: SeenEntry[];
  /** Every entry that arrived on the socket, applied or not, with its time. */
  arrived: { conversationId: string; seq: number; at: number }[];
};

/** Everything a run promised and showed; the log is read at the end. */
export type Ledger = {
  acked: AckedSend[];
  /** Sends without any definitive answer at the end. */
  unresolved: OpenSend[];
  absences: Absence[];
  devices: DeviceView[];
  /** Conversation -> users who are members at the end. */
  members: Map<string, Set<string>>;
  /** Offline device's token -> conversations it must have been notified of, and the messages its phone was sent. */
  phones: { token: string; userId: string; conversationIds: string[]; received: Set<string> }[];
};

/** Conversation -> its log from seq 1. */
export type Log = Map<string, SeenEntry[]>;
