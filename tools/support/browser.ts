/** Signs the sandbox's demo user in at the address given, as a person with a browser would. */
import { signInOverHttp } from '../../sandbox/browser/browserless.ts';

const url = process.argv[2];
if (url) await signInOverHttp(url);
