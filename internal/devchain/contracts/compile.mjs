// Compiles the contracts beside it and writes contracts.json to standard output:
//
//	node compile.mjs path/to/node_modules/solc > contracts.json
import { createRequire } from "node:module";
import { readFileSync, readdirSync } from "node:fs";
import { resolve } from "node:path";

const solc = createRequire(import.meta.url)(resolve(process.argv[2]));
const names = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".sol")).sort();
const input = {
  language: "Solidity",
  sources: Object.fromEntries(
    names.map((name) => [name, { content: readFileSync(resolve(import.meta.dirname, name), "utf8") }]),
  ),
  settings: {
    evmVersion: "paris",
    optimizer: { enabled: true, runs: 200 },
    metadata: { appendCBOR: false, bytecodeHash: "none" },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
for (const error of output.errors ?? []) console.error(error.formattedMessage);
if (output.errors?.some((error) => error.severity === "error")) process.exit(1);
const contracts = {};
for (const name of names) {
  const contract = name.replace(".sol", "");
  const { abi, evm } = output.contracts[name][contract];
  contracts[contract] = { abi, bytecode: "0x" + evm.bytecode.object };
}
console.log(JSON.stringify(contracts, null, 1));
