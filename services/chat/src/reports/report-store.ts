/** Somebody says that a message should not be there. `at` in milliseconds since the epoch. */
export type Report = {
  conversationId: string;
  seq: number;
  reporterId: string;
  reason: string;
  note: string;
  at: number;
};

export type ReportStore = {
  /** Keeps one report of a person and message; a repeat replaces reason and note. @returns whether it is the first. */
  put(report: Report): Promise<boolean>;
};
