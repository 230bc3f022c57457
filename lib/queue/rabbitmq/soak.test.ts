import { RabbitBed } from '../../../test/helpers/rabbit-bed';
import { settled, soak } from '../../../test/queue/soak';

const RECORDS = 5_000;

describe('two gateways at one queue on RabbitMQ', function () {
  this.timeout(120_000);
  const bed = new RabbitBed();
  after(() => bed.dispose());

  it('end every record once, whatever befalls it', async () => {
    const [one, two] = [await bed.store(), await bed.store()];
    await settled(one, RECORDS, await soak([one, two], RECORDS, 20_260_102));
  });
});
