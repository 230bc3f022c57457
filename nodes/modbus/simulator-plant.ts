/** What the simulated registers mean: a boiler (unit 1) and a power meter with swapped words (unit 2). */
import type { Clock } from '../../lib/core';
import { createMemory, putFloat, putSwappedFloat, putText, putUint } from './simulator-memory';
import type { Memory } from './simulator-memory';

export interface Plant {
  memory(unit: number): Memory;
  /** Moves the process to the clock's time. */
  advance(): void;
}

/** The process moves in steps of this many milliseconds, so that a burst of reads sees one moment. */
const STEP = 100;

export function createPlant(options: { readonly seed: number; readonly clock: Clock }): Plant {
  const units = new Map<number, Memory>();
  const started = options.clock.mono();
  let step = -1;

  function memory(unit: number): Memory {
    let found = units.get(unit);
    if (!found) {
      units.set(unit, (found = createMemory()));
      fill(found, unit);
      update(unit, found, Math.max(0, step), options.seed);
    }
    return found;
  }
  return {
    memory,
    advance() {
      const now = Math.floor((options.clock.mono() - started) / STEP);
      if (now === step) return;
      step = now;
      for (const [unit, tables] of units) update(unit, tables, step, options.seed);
    },
  };
}

function fill(memory: Memory, unit: number): void {
  memory.holding[0] = 800; // set point, 0.1 °C
  memory.holding[1] = 1; // mode: 0 off, 1 automatic, 2 manual
  putText(memory.holding, 10, unit === 2 ? 'Holdfast meter' : 'Holdfast boiler', 8);
  for (let i = 100; i < 2000; i += 1) memory.holding[i] = (i * 7 + unit) % 65_536;
  memory.coils[0] = 1; // burner released
  memory.coils[1] = 1; // pump
}

function update(unit: number, memory: Memory, step: number, seed: number): void {
  if (unit === 2) updateMeter(memory, step, seed);
  else updateBoiler(memory, step, seed);
}

function updateBoiler(memory: Memory, step: number, seed: number): void {
  const seconds = (step * STEP) / 1000;
  const target = (memory.holding[0] ?? 0) / 10;
  const temperature = target + 4 * Math.sin(seconds / 30) + noise(seed, step, 1) * 0.2;
  const pump = memory.coils[1] === 1;
  putFloat(memory.input, 0, temperature);
  putFloat(memory.input, 2, 1.2 + temperature / 100 + noise(seed, step, 2) * 0.02);
  putFloat(memory.input, 4, pump ? 12 + 2 * Math.sin(seconds / 11) + noise(seed, step, 3) * 0.1 : 0);
  memory.input[6] = Math.round(700 + 100 * Math.sin(seconds / 60)); // level, 0.1 %
  putUint(memory.input, 7, seconds, 2); // running time, s
  putUint(memory.input, 9, 5_000_000 + seconds * 35, 4); // heat, Wh
  memory.discrete[0] = temperature > target + 3.5 ? 1 : 0; // over-temperature
  memory.discrete[1] = (memory.input[6] ?? 0) < 610 ? 1 : 0; // low water
  memory.discrete[2] = memory.coils[0] === 1 && temperature < target ? 1 : 0; // flame
  memory.discrete[3] = noise(seed, Math.floor(step / 100), 4) > 0.8 ? 1 : 0; // door open
  memory.input[13] = [0, 1, 2, 3].reduce((bits, i) => bits | ((memory.discrete[i] ?? 0) << i), 0); // alarm word
}

function updateMeter(memory: Memory, step: number, seed: number): void {
  const seconds = (step * STEP) / 1000;
  const voltage = 230 + noise(seed, step, 5);
  const current = 16 + 4 * Math.sin(seconds / 17) + noise(seed, step, 6) * 0.1;
  putSwappedFloat(memory.input, 0, voltage);
  putSwappedFloat(memory.input, 2, current);
  putSwappedFloat(memory.input, 4, (voltage * current) / 1000);
}

/** A repeatable number in [-1, 1) for a seed, a step and a channel (32-bit integer hash). */
function noise(seed: number, step: number, channel: number): number {
  let x = Math.imul(seed ^ Math.imul(step, 0x9e3779b1) ^ Math.imul(channel, 0x85ebca6b), 0xc2b2ae35);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x ^= x >>> 13;
  return (x >>> 0) / 2_147_483_648 - 1;
}
