import { runDoctor } from './doctor/run-doctor.ts';

const usage = `Usage: bluewave <command>

  doctor   checks a running installation from outside; bluewave doctor --help says how
`;

const [command, ...args] = process.argv.slice(2);
if (command === 'doctor') {
  process.exitCode = await runDoctor(args, process.env, (text) => void process.stdout.write(text));
} else {
  process.stdout.write(usage);
  process.exitCode = command === undefined || command === '--help' ? 0 : 2;
}
