import { writeClient } from './write-client.ts';
import { writeConfiguration } from './write-configuration.ts';

// `npm run docs`: writes what is made from the code.
await writeConfiguration();
await writeClient();
