/** A UDP relay that stands before any server and fails on command. One socket to the peer for each client. */
import { createSocket, type Socket } from 'node:dgram';
import { systemClock, type Clock } from '../../lib/core';
import { randomBytes, seededRandom, type Address, type Fault } from './fault';

/** What a datagram can suffer; a reset, a slice or a half-open connection do not exist in UDP. */
export type UdpFault =
  Extract<Fault, { kind: 'refused' | 'cut' | 'slow' | 'garbage' | 'blackHole' }> | Duplicated;
interface Duplicated {
  /** Every answer arrives twice. */
  readonly kind: 'duplicated';
}

export interface UdpFaultProxy extends Address {
  /** Clients seen since the start or the last refusal. */
  readonly connections: number;
  set(fault: UdpFault): Promise<void>;
  clear(): Promise<void>;
  close(): Promise<void>;
}

export async function startUdpFaultProxy(options: {
  readonly target: Address;
  readonly clock?: Clock;
}): Promise<UdpFaultProxy> {
  const clock = options.clock ?? systemClock;
  const peers = new Map<string, Socket>();
  let fault: UdpFault | undefined;
  let random = seededRandom(1);
  let front: Socket | undefined;

  const answer = (bytes: Buffer, client: Address): void => {
    const send = (data: Buffer): void => front?.send(data, client.port, client.host);
    if (fault?.kind === 'blackHole') return;
    if (fault?.kind === 'slow') return void clock.timer(fault.delayMs ?? 50, () => send(bytes));
    if (fault?.kind === 'cut') return send(bytes.subarray(0, fault.afterBytes ?? 5));
    if (fault?.kind === 'garbage') return send(randomBytes(random, fault.bytes ?? bytes.length));
    if (fault?.kind === 'duplicated') send(bytes);
    send(bytes);
  };
  const peerOf = (client: Address): Socket => {
    const key = `${client.host}:${client.port}`;
    const known = peers.get(key);
    if (known) return known;
    const peer = createSocket('udp4');
    peer.on('error', () => {});
    peer.on('message', (bytes) => answer(bytes, client));
    peers.set(key, peer);
    return peer;
  };
  const listen = async (port: number): Promise<number> => {
    const socket = createSocket('udp4');
    socket.on('message', (bytes, from) => {
      if (fault?.kind === 'blackHole') return;
      peerOf({ host: from.address, port: from.port }).send(bytes, options.target.port, options.target.host);
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, '127.0.0.1', () => resolve());
    });
    socket.on('error', () => {});
    front = socket;
    return socket.address().port;
  };
  const refuse = async (): Promise<void> => {
    const sockets = [...peers.values(), ...(front ? [front] : [])];
    peers.clear();
    front = undefined;
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  };
  const become = async (next: UdpFault | undefined): Promise<void> => {
    fault = next;
    if (next?.kind === 'garbage') random = seededRandom(next.seed);
    if (next?.kind === 'refused') await refuse();
    else if (!front) await listen(port);
  };

  const port = await listen(0);
  return {
    host: '127.0.0.1',
    port,
    get connections() {
      return peers.size;
    },
    set: become,
    clear: () => become(undefined),
    close: refuse,
  };
}
