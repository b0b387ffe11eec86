/** The API reference covers the package's entries, and each entry exports every type that one needs to write down what it gives and takes. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";
import config from "../../typedoc.config.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const entries = config.entryPoints as string[];
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

test("every entry of the package is a module of the reference", () => {
  const { exports } = JSON.parse(read("package.json")) as { exports: object };
  const subpaths = Object.keys(exports).filter((path) => !path.endsWith(".wasm") && path !== "./package.json");
  const modules = entries.map((path) => /@module (\S+)/.exec(read(path))![1]!);
  expect(modules.sort()).toEqual(subpaths.map((path) => join("wasmograd", path)).sort());
});

/** A declaration: the file, and its name there. */
type Key = `${string}#${string}`;

interface Names {
  /** Declared in the file. */
  readonly declared: Map<string, ts.Statement[]>;
  /** Imported or exported from other files, by the name here. */
  readonly elsewhere: Map<string, readonly [file: string, name: string]>;
  /** Exported from here. */
  readonly exported: Set<string>;
  /** Files of which everything is exported. */
  readonly all: string[];
}

const files = new Map<string, Names>();

function namesOf(file: string): Names {
  const known = files.get(file);
  if (known) return known;
  const names: Names = { declared: new Map(), elsewhere: new Map(), exported: new Set(), all: [] };
  files.set(file, names);
  const declare = (name: string, statement: ts.Statement): void => {
    names.declared.set(name, [...(names.declared.get(name) ?? []), statement]);
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    if (modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) names.exported.add(name);
  };
  for (const statement of ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true).statements) {
    if (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) {
      const target = (statement.moduleSpecifier as ts.StringLiteral | undefined)?.text;
      if (!target?.startsWith(".")) continue;
      const from = join(dirname(file), target);
      const clause = ts.isExportDeclaration(statement) ? statement.exportClause : statement.importClause?.namedBindings;
      if (clause === undefined) names.all.push(from);
      else if (ts.isNamedImports(clause) || ts.isNamedExports(clause)) {
        for (const { name, propertyName } of clause.elements) {
          names.elsewhere.set(name.text, [from, (propertyName ?? name).text]);
          if (ts.isNamedExports(clause)) names.exported.add(name.text);
        }
      }
    } else if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) declare((name as ts.Identifier).text, statement);
    } else if ("name" in statement) declare((statement.name as ts.Identifier).text, statement);
  }
  return names;
}

/** Where a name of a file is declared; undefined of what the language or a package brings. */
function resolve(file: string, name: string): Key | undefined {
  const { declared, elsewhere, all } = namesOf(file);
  if (declared.has(name)) return `${file}#${name}`;
  const target = elsewhere.get(name);
  if (target) return resolve(...target);
  return all.map((from) => resolve(from, name)).find((found) => found !== undefined);
}

const isInternal = (node: ts.Node): boolean =>
  ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal") ||
  ((ts.isClassElement(node) || ts.isTypeElement(node)) && node.name !== undefined && ts.isPrivateIdentifier(node.name));

/** What a declaration's types refer to: not the bodies of functions, not what is private or internal. */
function references(key: Key): Key[] {
  const [file, name] = key.split("#") as [string, string];
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isBlock(node) || isInternal(node)) return;
    if (ts.isVariableDeclaration(node)) {
      if (node.type) visit(node.type);
      return;
    }
    if (ts.isTypeReferenceNode(node) && ts.isIdentifier(node.typeName)) found.add(node.typeName.text);
    if (ts.isTypeQueryNode(node) && ts.isIdentifier(node.exprName)) found.add(node.exprName.text);
    if (ts.isExpressionWithTypeArguments(node)) found.add(node.expression.getText());
    ts.forEachChild(node, visit);
  };
  for (const statement of namesOf(file).declared.get(name) ?? []) visit(statement);
  return [...found].flatMap((reference) => resolve(file, reference) ?? []);
}

function exportsOf(file: string): Key[] {
  const { exported, all } = namesOf(file);
  return [...[...exported].map((name) => resolve(file, name)!), ...all.flatMap(exportsOf)];
}

test.each(entries)("%s exports every type of its signatures", (entry) => {
  const exported = exportsOf(entry);
  expect(exported.length).toBeGreaterThan(0);
  const missing = exported.flatMap((key) =>
    references(key)
      .filter((reference) => !exported.includes(reference))
      .map((reference) => `${reference} of ${key}`),
  );
  expect(missing).toEqual([]);
});
