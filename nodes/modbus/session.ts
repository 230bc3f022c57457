/**
 * One open connection to a device or gateway: sends requests as far as each unit allows, times each of them
 * out on its own, and decides when a unit is silent and when the whole connection is lost.
 */
import type ModbusRTU from 'modbus-serial';
import type { Clock, Failure, Timer } from '../../lib/core';
import { classify, exceptionFailure, lostFailure, silentFailure, timeoutFailure } from './errors';
import { Lane } from './lane';
import type { Request } from './lane';
import { MbapPort } from './port';
import { readRequest } from './requests';
import type { DeviceDefaults } from './tags';
import type { Duplex } from 'node:stream';

/** The connection's settings as its nodes need them. */
export interface DeviceSettings extends DeviceDefaults {
  /** Largest gap and length of a planned read, in registers. */
  readonly gap: number;
  readonly length: number;
  /** Most requests under way to one unit. */
  readonly window: number;
  /** One request at a time over the whole connection. */
  readonly exclusive: boolean;
  /** Write one register or coil with functions 16 and 15 instead of 6 and 5. */
  readonly alwaysMultiple: boolean;
  readonly requestTimeout: number;
  readonly probeEvery: number;
}

export interface SessionDeps {
  readonly socket: Duplex;
  /** The class of modbus-serial, loaded on opening. */
  readonly Client: new (port: unknown) => ModbusRTU;
  readonly settings: DeviceSettings;
  readonly clock: Clock;
  readonly lost: (failure: Failure) => void;
}

/** A probe waits this long when the connection takes one request at a time and is in use. */
const BUS_TAKEN_MS = 50;

const MOST_REFUSALS = 8;

interface Flight {
  readonly lane: Lane;
  readonly request: Request;
  readonly sentAt: number;
  /** Others of the same unit were under way when it was sent. */
  readonly crowded: boolean;
  id: number;
  settled: boolean;
}

export class Session {
  readonly settings: DeviceSettings;
  readonly #clock: Clock;
  readonly #lost: (failure: Failure) => void;
  readonly #port: MbapPort;
  readonly #client: ModbusRTU;
  readonly #lanes = new Map<number, Lane>();
  /** By wire id, oldest first. */
  readonly #flights = new Map<number, Flight>();
  #timer: Timer | undefined;
  #heardAt = -Infinity;
  /** When another unit was asked whether the connection is alive at all. */
  #checkAt: number | undefined;
  #ended = false;

  constructor(deps: SessionDeps) {
    this.settings = deps.settings;
    this.#clock = deps.clock;
    this.#lost = deps.lost;
    this.#port = new MbapPort(deps.socket, {
      heard: () => {
        this.#heardAt = this.#clock.mono();
      },
      lost: (failure) => this.#lose(failure ?? this.#nameLoss()),
    });
    this.#client = new deps.Client(this.#port);
    this.#client.open();
  }

  /** Monotonic time of the last answer, late ones included. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Requests under way, and timers: zero when nothing is left behind. */
  get underWay(): number {
    return this.#flights.size;
  }

  windowOf(unit: number): number {
    return this.#lanes.get(unit)?.window.size ?? 1;
  }

  /** Queues requests; each gets its `done`, possibly before this returns. */
  submit(requests: readonly Request[]): void {
    const touched = new Set<Lane>();
    for (const request of requests) {
      if (this.#ended) {
        request.done(lostFailure({ reached: false }), undefined);
        continue;
      }
      const lane = this.#lane(request.unit);
      if (lane.silent) request.done(silentFailure(lane.unit), undefined);
      else {
        lane.push(request);
        touched.add(lane);
      }
    }
    this.#port.hold();
    for (const lane of touched) this.#pump(lane);
    this.#port.release();
  }

  /** Where a ping has the best chance: the unit that answered last, or the default one. */
  pingTarget(): Pick<Request, 'unit'> & Required<Pick<Request, 'read'>> {
    let best = this.#lane(this.settings.unit);
    for (const lane of this.#lanes.values()) {
      if ((lane.heardAt ?? -1) > (best.heardAt ?? -1)) best = lane;
    }
    return { unit: best.unit, read: best.probed };
  }

  close(): void {
    this.#finish(lostFailure());
  }

  #lane(unit: number): Lane {
    let lane = this.#lanes.get(unit);
    if (!lane) this.#lanes.set(unit, (lane = new Lane(unit, this.settings.window)));
    return lane;
  }

  #pump(lane: Lane): void {
    while (!this.#ended && !(this.settings.exclusive && this.#flights.size > 0)) {
      const request = lane.next();
      if (!request) return;
      this.#send(lane, request);
    }
  }

  #send(lane: Lane, request: Request): void {
    const sentAt = this.#clock.mono();
    const flight: Flight = { lane, request, sentAt, crowded: lane.underWay > 0, id: 0, settled: false };
    lane.sent(sentAt);
    request.send(this.#client, (error, result) => this.#answered(flight, error, result));
    if (flight.settled) return;
    flight.id = this.#port.lastId;
    this.#flights.set(flight.id, flight);
    if (!this.#timer) this.#arm(this.settings.requestTimeout);
  }

  #answered(flight: Flight, error: unknown, result: unknown): void {
    if (!this.#settle(flight)) return;
    const { lane, request } = flight;
    const failure = error ? nameError(error, lane.unit) : request.check?.(result);
    const fromGateway = failure?.code === 'GATEWAY_TARGET' || failure?.code === 'GATEWAY_PATH';
    if (fromGateway) this.#silence(lane, this.settings.probeEvery);
    else if (failure?.kind !== 'disconnected') this.#revive(lane);
    if (failure?.code === 'DEVICE_BUSY' && this.#again(flight)) return;
    request.done(failure, result);
    if (failure?.kind === 'disconnected') this.#lose(failure);
    else this.#pumpAfter(lane);
  }

  /**
   * Too many requests at once are this side's doing, and "busy" says that the device did not act: such a request
   * is sent again in a smaller window. A device that is busy with a single request is reported.
   */
  #again({ lane, request, sentAt, crowded }: Flight): boolean {
    lane.shrink(sentAt, this.#clock.mono());
    const refusals = (request.refusals ?? 0) + 1;
    if ((!crowded && lane.underWay === 0) || refusals > MOST_REFUSALS || request.cancelled) return false;
    request.refusals = refusals;
    lane.push(request);
    this.#pumpAfter(lane);
    return true;
  }

  #settle(flight: Flight): boolean {
    if (flight.settled) return false;
    flight.settled = true;
    this.#flights.delete(flight.id);
    flight.lane.settled(this.#clock.mono());
    return true;
  }

  #pumpAfter(lane: Lane): void {
    if (!this.settings.exclusive) return this.#pump(lane);
    // The others first, so that a long queue of one unit cannot starve them.
    for (const other of this.#lanes.values()) if (other !== lane) this.#pump(other);
    this.#pump(lane);
  }

  // ── Timeouts ─────────────────────────────────────────────────────────────────────────────────────────────

  #arm(ms: number): void {
    // A request that was sent while others expired has set it already.
    this.#timer?.cancel();
    this.#timer = this.#clock.timer(ms, () => this.#expire());
  }

  /** One timer for all: every request has the same timeout, so the oldest is the first to expire. */
  #expire(): void {
    this.#timer = undefined;
    const now = this.#clock.mono();
    for (const flight of [...this.#flights.values()]) {
      const left = flight.sentAt + this.settings.requestTimeout - now;
      if (this.#ended) return;
      if (left > 0) return this.#arm(left);
      this.#timedOut(flight);
    }
  }

  #timedOut(flight: Flight): void {
    if (!this.#settle(flight)) return;
    const { lane, request, sentAt } = flight;
    this.#port.abandon(flight.id);
    lane.shrink(sentAt, this.#clock.mono());
    if (this.#heardAt < sentAt && this.#nobodyAnswers(flight)) {
      const failure = lostFailure({ afterMs: this.settings.requestTimeout });
      request.done(failure, undefined);
      return this.#lose(failure);
    }
    // Another answer of the same unit since then: only this request is lost.
    if ((lane.heardAt ?? -Infinity) < sentAt) this.#silence(lane, 0);
    request.done(timeoutFailure(lane.unit, this.settings.requestTimeout), undefined);
    this.#port.hold();
    this.#pumpAfter(lane);
    this.#port.release();
  }

  /**
   * Not one answer came while a request waited. When another unit answered before, the silence may be of one
   * unit only, so the other one is asked; when that stays without answer as well, the connection is dead.
   */
  #nobodyAnswers(flight: Flight): boolean {
    if (this.#checkAt !== undefined) return flight.sentAt >= this.#checkAt;
    const other = [...this.#lanes.values()].find(
      (lane) => lane !== flight.lane && !lane.silent && lane.heardAt !== undefined,
    );
    if (!other) return true;
    this.#checkAt = this.#clock.mono();
    this.#probe(other);
    return false;
  }

  // ── Silent units ─────────────────────────────────────────────────────────────────────────────────────────

  /** Fails what waits for the unit, and asks it again with a small read from time to time. */
  #silence(lane: Lane, probeInMs: number): void {
    if (lane.silent) return;
    lane.silent = true;
    this.#probeIn(lane, probeInMs);
    for (const request of lane.drain()) request.done(silentFailure(lane.unit), undefined);
  }

  #probeIn(lane: Lane, ms: number): void {
    lane.probe?.cancel();
    lane.probe = this.#clock.timer(ms, () => {
      lane.probe = undefined;
      if (this.#ended || !lane.silent) return;
      if (this.settings.exclusive && this.#flights.size > 0) return this.#probeIn(lane, BUS_TAKEN_MS);
      this.#probe(lane);
      this.#probeIn(lane, this.settings.probeEvery);
    });
  }

  #probe(lane: Lane): void {
    const { unit } = lane;
    this.#send(
      lane,
      readRequest(unit, lane.probed.area, lane.probed.address, 1, () => {}),
    );
  }

  #revive(lane: Lane): void {
    lane.heardAt = this.#clock.mono();
    this.#checkAt = undefined;
    if (!lane.silent) return;
    lane.silent = false;
    lane.probe?.cancel();
    lane.probe = undefined;
  }

  // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────

  #nameLoss(): Failure {
    const error = this.#port.error;
    const failure = error === undefined ? undefined : classify(error);
    return failure && failure.kind === 'disconnected' ? failure : lostFailure({ cause: error });
  }

  #lose(failure: Failure): void {
    if (this.#ended) return;
    this.#finish(failure);
    this.#lost(failure);
  }

  /** Every request ends: those under way with what happened, those waiting as never sent. */
  #finish(failure: Failure): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    this.#client.close(() => {});
    const flights = [...this.#flights.values()];
    this.#flights.clear();
    for (const flight of flights) {
      flight.settled = true;
      flight.request.done(failure, undefined);
    }
    for (const lane of this.#lanes.values()) {
      lane.probe?.cancel();
      for (const request of lane.drain()) request.done(lostFailure({ reached: false }), undefined);
    }
    this.#lanes.clear();
  }
}

function nameError(error: unknown, unit: number): Failure {
  const code =
    typeof error === 'object' && error !== null && 'modbusCode' in error ? error.modbusCode : undefined;
  return typeof code === 'number' ? exceptionFailure(code, unit) : classify(error);
}
