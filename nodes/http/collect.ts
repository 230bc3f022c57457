/** Reads the body of an answer; a server that sends it in tiny chunks costs no more memory than any other. */
import { request as http, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as https } from 'node:https';
import type { Readable } from 'node:stream';
import { tooLarge } from './answer';

/** A chunk of one byte would keep some hundred bytes alive: smaller ones are copied together. */
const SMALL = 4096;

/**
 * What axios sends with: node:http, where an error of the request (also one of its parser) ends the answer too, so
 * that it is not lost between head and body.
 */
export const wire = {
  request(options: RequestOptions, done: (answer: IncomingMessage) => void): ClientRequest {
    const send = options.protocol === 'https:' ? https : http;
    const request = send(options, (answer) => {
      request.on('error', (error) => answer.destroy(error));
      done(answer);
    });
    return request;
  },
};

/** Rejects with RESPONSE_TOO_LARGE beyond `maxBytes`, or with the error of the stream; either way it is destroyed. */
export function collect(stream: Readable, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (stream.errored) return reject(stream.errored);
    const gathered = new Gathered();
    stream.on('error', reject);
    stream.on('close', () => reject(new Error('aborted')));
    stream.on('end', () => resolve(gathered.take()));
    stream.on('data', (chunk: Buffer) => {
      gathered.add(chunk);
      if (gathered.length <= maxBytes) return;
      reject(tooLarge(maxBytes));
      stream.destroy();
    });
  });
}

class Gathered {
  length = 0;
  readonly #chunks: Buffer[] = [];
  #copy: Buffer | undefined;
  #copied = 0;

  add(chunk: Buffer): void {
    this.length += chunk.length;
    if (chunk.length >= SMALL || (this.length === chunk.length && !this.#copy)) {
      this.#flush();
      this.#chunks.push(chunk);
      return;
    }
    if (this.#copied + chunk.length > (this.#copy?.length ?? 0)) {
      this.#flush();
      this.#copy = Buffer.allocUnsafeSlow(2 * SMALL);
    }
    this.#copied += this.#copy ? chunk.copy(this.#copy, this.#copied) : 0;
  }

  take(): Buffer {
    this.#flush();
    const [only, ...more] = this.#chunks;
    return only && more.length === 0 ? only : Buffer.concat(this.#chunks, this.length);
  }

  #flush(): void {
    if (this.#copy && this.#copied > 0) this.#chunks.push(this.#copy.subarray(0, this.#copied));
    this.#copy = undefined;
    this.#copied = 0;
  }
}
