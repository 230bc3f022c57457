/** Where a component writes what an engineer should read. One sentence a line, no secrets. */
export interface Log {
  error(text: string): void;
  warn(text: string): void;
  info(text: string): void;
  debug(text: string): void;
}

export const silentLog: Log = { error() {}, warn() {}, info() {}, debug() {} };
