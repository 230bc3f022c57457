import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { queryObjects } from 'node:v8';
import { collect } from './collect';

describe('http: collecting a body', () => {
  it('keeps few buffers alive, however small the chunks are', async () => {
    const stream = new Readable({ read() {} });
    const pending = collect(stream, 1_000_000);
    const before = queryObjects(Buffer, { format: 'count' });
    for (let round = 0; round < 20; round += 1) {
      for (let i = 0; i < 1000; i += 1) stream.push(Buffer.alloc(1, 'a'));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const kept = queryObjects(Buffer, { format: 'count' }) - before;
    assert.ok(kept < 1000, `${kept} buffers`);
    stream.push(null);
    assert.ok((await pending).equals(Buffer.alloc(20_000, 'a')));
  });

  it('keeps bytes in order, whatever the sizes of the chunks are', async () => {
    const sizes = [0, 1, 5000, 3, 4095, 4096, 8191, 1, 1, 8192, 20_000, 2];
    const chunks = sizes.map((size, at) => Buffer.alloc(size, at + 1));
    const whole = Buffer.concat(chunks);
    assert.deepEqual(await collect(Readable.from(chunks, { objectMode: false }), whole.length), whole);
    const short = collect(Readable.from(chunks, { objectMode: false }), whole.length - 1);
    await assert.rejects(short, { code: 'RESPONSE_TOO_LARGE' });
  });

  it('rejects with what broke the stream before, or ended it early', async () => {
    const broken = new Readable({ read() {} }).on('error', () => {});
    broken.destroy(new Error('broken'));
    await assert.rejects(collect(broken, 10), /broken/);
    const early = new Readable({ read() {} });
    const pending = collect(early, 10);
    early.destroy();
    await assert.rejects(pending, /aborted/);
  });
});
