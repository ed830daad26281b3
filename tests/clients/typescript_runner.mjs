// Makes calls with the TypeScript client that was generated and compiled into the folder that is named: JSON in, JSON out.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const generated = await import(pathToFileURL(`${process.argv[2]}/index.js`));
const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const lower = (name) => name[0].toLowerCase() + name.slice(1);

async function made(call) {
  const configuration = new generated.Configuration({
    basePath: call.host, username: call.username, password: call.password,
  });
  const name = `${camel(call.operation)}Raw`;
  try {
    const found = Object.values(generated).filter((one) => typeof one === 'function' && one.prototype && name in one.prototype);
    const api = new found[0](configuration);
    const parameters = Object.fromEntries(Object.entries(call.arguments).map(([key, value]) => [camel(key), value]));
    if (call.body !== null) {
      const model = call.body_model;
      parameters[model === null ? 'body' : lower(model)] = model === null ? call.body : generated[`${model}FromJSON`](call.body);
    }
    const response = await api[name](parameters);
    let value = await response.value();
    if (call.item_model !== null) value = value.map(generated[`${call.item_model}ToJSON`]);
    else if (call.response_model !== null && value !== undefined) value = generated[`${call.response_model}ToJSON`](value);
    return { status: response.raw.status, value: value ?? null };
  } catch (error) {
    if (error.response) return { status: error.response.status, value: await error.response.json() };
    return { error: `${error.name}: ${error.message}` };
  }
}

const results = [];
for (const call of JSON.parse(readFileSync(0, 'utf8'))) results.push(await made(call));
process.stdout.write(JSON.stringify(results));
