import type { Contract } from '../../test/contract/types';

const tags = [
  { name: 'Set point', area: 'holding', address: 0, type: 'uint16', scale: 0.1, eu: '°C' },
  { name: 'Temperature', area: 'input', address: 0, type: 'float32', eu: '°C' },
  { name: 'Burner', area: 'coil', address: 0, type: 'bool' },
  { name: 'Voltage', unit: 2, area: 'input', address: 0, type: 'float32', order: 'cdab', eu: 'V' },
];

export const contract: Contract = {
  connection: ({ host, port }) => ({ host, port, requestTimeout: '250ms', probeEvery: '200ms' }),
  samples: {
    'holdfast-modbus': [
      { name: 'read', config: { operation: 'read', tags } },
      {
        name: 'write',
        config: { operation: 'write', repeat: 'idempotent', tags },
        msg: { payload: { 'Set point': 75, Burner: true } },
      },
      {
        name: 'write once',
        config: { operation: 'write', repeat: 'once', tags, only: ['Burner'] },
        msg: { payload: true },
      },
    ],
    'holdfast-modbus-trigger': [{ name: 'poll', config: { every: '100ms', emit: 'all', tags } }],
  },
};
