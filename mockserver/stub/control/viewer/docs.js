"use strict";

// The page is served by the stub itself, in a world of it perhaps: what stands before `/__mock__/docs` is its base URL.
const base = location.origin + location.pathname.replace(/\/__mock__\/docs$/, "");
// More operations than these are shown folded, else the browser lays out all of them before it shows the first.
const MANY = 100;

async function show() {
  const answer = await fetch("docs/contract.json");
  if (!answer.ok) {
    throw new Error(`contract.json: ${answer.status} ${answer.statusText}`);
  }
  const contract = await answer.json();
  document.title = `${(contract.info || {}).title || "API"} (mockserver)`;
  contract.servers = [{ url: base, description: "this stub" }];
  nameTheToken(contract);
  const count = Object.values(contract.paths || {}).reduce((sum, item) => sum + Object.keys(item || {}).length, 0);
  SwaggerUIBundle({
    dom_id: "#docs",
    spec: contract,
    deepLinking: true,
    // A schema is shown with its members and what is said of each; the list of all schemas at the end comes folded.
    defaultModelExpandDepth: 2,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    docExpansion: count > MANY ? "none" : "list",
    filter: true,
    showCommonExtensions: true,
    showExtensions: true,
    validatorUrl: null,
    // What is typed into "Authorize" is sent as it is; a 401 is shown as an answer, not asked about by the browser.
    requestInterceptor: (request) => Object.assign(request, { credentials: "omit" }),
  });
}

// Where HTTP Basic takes a token, the dialog must not ask for a password: people type the one of their account.
function nameTheToken(contract) {
  const schemes = Object.values((contract.components || {}).securitySchemes || {});
  const takesToken = (scheme) => /^basic$/i.test(scheme.scheme || "") && /\btoken\b/i.test(scheme.description || "");
  if (!schemes.some(takesToken)) {
    return;
  }
  new MutationObserver(() => {
    for (const label of document.querySelectorAll(".auth-container label")) {
      if (label.textContent.trim() === "Password:") {
        label.firstChild.nodeValue = "Token, sent as the password:";
      }
    }
  }).observe(document.getElementById("docs"), { childList: true, subtree: true });
}

show().catch((error) => {
  document.getElementById("docs").textContent = `The contract cannot be shown: ${error.message}`;
});
