/**
 * Splits a SQL text at its placeholders without touching strings, identifiers and comments, and refuses what
 * one call must not hold. It does not understand SQL; the database does.
 */
import { Failure } from '../../../lib/core';
import type { DialectName } from '../dialects/types';

/** A placeholder: a name (`:id`), or a position from 0 (`?`, `$1`). */
export type Slot = string | number;
export interface Scanned {
  /** The texts around the slots; one more than slots. */
  readonly texts: readonly string[];
  readonly slots: readonly Slot[];
}

const LONGEST = 1_000_000;
/** They change the shared session or leave the transaction that Holdfast opens around a call. */
const REFUSED = new Set(
  (
    'BEGIN START COMMIT ROLLBACK SAVEPOINT RELEASE END ABORT ATTACH DETACH PRAGMA VACUUM ' +
    'USE SET RESET DISCARD LOCK UNLOCK LISTEN UNLISTEN KILL SHUTDOWN PREPARE DEALLOCATE XA'
  ).split(' '),
);
/** In SQL Server EXECUTE calls a procedure; elsewhere it runs a text that nobody scanned. */
const REFUSED_ELSEWHERE = new Set(['EXECUTE']);

const QUOTED = {
  standard: /'(?:[^']|'')*'/y,
  backslash: /'(?:[^'\\]|''|\\[^])*'/y,
  double: /"(?:[^"]|"")*"/y,
  doubleBackslash: /"(?:[^"\\]|""|\\[^])*"/y,
  back: /`(?:[^`]|``)*`/y,
  bracket: /\[(?:[^\]]|\]\])*\]/y,
  line: /--[^\n]*/y,
  // A carriage return ends it here, so what follows would run unseen.
  linePostgres: /--[^\n\r]*/y,
  // Without a space behind it, it is twice a minus.
  lineMysql: /--(?=[\s]|$)[^\n]*/y,
  hash: /#[^\n]*/y,
  dollar: /\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[^]*?\$\1\$/y,
} as const;
/** Letters beyond ASCII belong to words; spaces beyond ASCII (SQLite skips U+FEFF) end them. */
const WORD = /(?!\s)[A-Za-z_\u0080-\uffff](?:(?!\s)[\w$\u0080-\uffff])*/y;
const SPACE = /\s/;
const NAMED = /:([A-Za-z_]\w*)/y;
const NUMBERED = /\$(\d{1,5})/y;

/** Throws `rejected` Failures: several statements, a statement that changes the session, an open quote. */
export function scan(sql: string, dialect: DialectName): Scanned {
  if (sql.length > LONGEST) throw refuse(`is longer than ${LONGEST} characters`);
  const scanner = new Scanner(sql, dialect);
  return scanner.run();
}

class Scanner {
  readonly #sql: string;
  readonly #dialect: DialectName;
  readonly #texts: string[] = [];
  readonly #slots: Slot[] = [];
  #at = 0;
  #start = 0;
  #text = '';
  #question = 0;
  #firstWord = '';
  #ended = false;

  constructor(sql: string, dialect: DialectName) {
    this.#sql = sql;
    this.#dialect = dialect;
  }

  run(): Scanned {
    while (this.#at < this.#sql.length) this.#step();
    this.#texts.push(this.#taken());
    if (this.#firstWord === '') throw refuse('is empty');
    const elsewhere = this.#dialect !== 'mssql' && REFUSED_ELSEWHERE.has(this.#firstWord);
    if (elsewhere || REFUSED.has(this.#firstWord)) {
      throw refuse(`begins with ${this.#firstWord}, which would change the session that other nodes share`);
    }
    return { texts: this.#texts, slots: this.#slots };
  }

  #step(): void {
    const char = this.#sql[this.#at] ?? '';
    if (char <= ' ' || SPACE.test(char)) {
      this.#at += 1;
      return;
    }
    if (this.#skipComment(char)) return;
    if (char === ';') {
      this.#text += this.#sql.slice(this.#start, this.#at);
      this.#ended = true;
      this.#at += 1;
      this.#start = this.#at;
      return;
    }
    if (this.#ended)
      throw refuse('holds more than one statement; use the operation "Transaction" for several');
    if (this.#skipQuoted(char) || this.#takeSlot(char) || this.#takeWord()) return;
    this.#at += 1;
  }

  #skipComment(char: string): boolean {
    if (char === '-' && this.#match(lineComment(this.#dialect))) return true;
    if (char === '#' && this.#dialect === 'mysql' && this.#match(QUOTED.hash)) return true;
    if (char !== '/' || this.#sql[this.#at + 1] !== '*') return false;
    // MySQL runs the text of such a comment.
    if (this.#dialect === 'mysql' && /^\/\*(!|M!)/.test(this.#sql.slice(this.#at, this.#at + 4))) {
      throw refuse('holds an executable comment');
    }
    this.#skipBlock();
    return true;
  }

  /** PostgreSQL and SQL Server nest block comments, the others do not. */
  #skipBlock(): void {
    const nests = this.#dialect === 'postgres' || this.#dialect === 'mssql';
    let depth = 0;
    do {
      if (nests && this.#sql.startsWith('/*', this.#at)) {
        depth += 1;
        this.#at += 2;
      } else if (this.#sql.startsWith('*/', this.#at)) {
        depth -= 1;
        this.#at += 2;
      } else if (depth === 0) {
        depth = 1;
        this.#at += 2;
      } else {
        this.#at += 1;
      }
      if (this.#at > this.#sql.length) throw refuse('holds a comment that does not end');
    } while (depth > 0);
  }

  #skipQuoted(char: string): boolean {
    const mysql = this.#dialect === 'mysql';
    if (char === "'") {
      const escapes =
        mysql ||
        (this.#dialect === 'postgres' &&
          /(^|\W)[eE]$/.test(this.#sql.slice(Math.max(0, this.#at - 2), this.#at)));
      return this.#mustMatch(escapes ? QUOTED.backslash : QUOTED.standard);
    }
    if (char === '"') return this.#mustMatch(mysql ? QUOTED.doubleBackslash : QUOTED.double);
    if (char === '`') return this.#mustMatch(QUOTED.back);
    if (char === '[' && (this.#dialect === 'mssql' || this.#dialect === 'sqlite'))
      return this.#mustMatch(QUOTED.bracket);
    return char === '$' && this.#dialect === 'postgres' && this.#match(QUOTED.dollar) !== undefined;
  }

  #takeSlot(char: string): boolean {
    if (char === '\\' && this.#sql[this.#at + 1] === '?') {
      this.#text += this.#sql.slice(this.#start, this.#at);
      this.#start = this.#at + 1;
      this.#at += 2;
      return true;
    }
    if (char === '?') {
      this.#slot(this.#question, 1);
      this.#question += 1;
      return true;
    }
    if (char === '$' && this.#dialect === 'postgres') {
      const numbered = this.#peek(NUMBERED);
      if (numbered) this.#slot(Number(numbered[1]) - 1, numbered[0].length);
      return numbered !== undefined;
    }
    if (char !== ':') return false;
    if (this.#sql[this.#at + 1] === ':') {
      this.#at += 2; // a PostgreSQL cast
      return true;
    }
    const named = this.#peek(NAMED);
    if (named) this.#slot(named[1] ?? '', named[0].length);
    return named !== undefined;
  }

  #takeWord(): boolean {
    const word = this.#match(WORD);
    if (word === undefined) return false;
    this.#firstWord ||= word.toUpperCase();
    return true;
  }

  #slot(slot: Slot, length: number): void {
    this.#firstWord ||= '?';
    this.#texts.push(this.#taken());
    this.#slots.push(slot);
    this.#at += length;
    this.#start = this.#at;
  }

  #taken(): string {
    const text = this.#text + this.#sql.slice(this.#start, this.#at);
    this.#text = '';
    this.#start = this.#at;
    return text;
  }

  #peek(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#sql) ?? undefined;
  }

  #match(pattern: RegExp): string | undefined {
    const match = this.#peek(pattern);
    if (match) this.#at += match[0].length;
    return match?.[0];
  }

  #mustMatch(pattern: RegExp): true {
    if (this.#match(pattern) === undefined) throw refuse('holds a quote that does not end');
    return true;
  }
}

function lineComment(dialect: DialectName): RegExp {
  if (dialect === 'postgres') return QUOTED.linePostgres;
  return dialect === 'mysql' ? QUOTED.lineMysql : QUOTED.line;
}

function refuse(why: string): Failure {
  return new Failure('rejected', 'SQL_SYNTAX', `The SQL text ${why}.`, { reached: false });
}
