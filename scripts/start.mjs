// `npm start`: installs and builds what is missing, then runs the platform in this same process, so that one signal
// ends everything.
import { loadSettings, platformProjects, prepare } from './prepare.mjs';

await prepare(platformProjects);
loadSettings();
const { main } = await import('../packages/dev-env/dist/main.js');
process.exit(await main(process.argv.slice(2)));
