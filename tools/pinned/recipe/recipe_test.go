package recipe

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// hello is a recipe whose module needs no download.
func hello(t *testing.T) (Builder, Recipe) {
	t.Helper()
	source := t.TempDir()
	write(t, filepath.Join(source, "hello", "go.mod"), "module hello\n\ngo 1.21\n")
	write(t, filepath.Join(source, "hello", "main.go"), "package main\n\nimport \"os\"\n\nvar word string\n\nfunc main() { os.Stdout.WriteString(word) }\n")
	builder := Builder{
		Source: source, Cache: filepath.Join(t.TempDir(), "bin"), Output: &bytes.Buffer{},
		Target: Target{OS: runtime.GOOS, Arch: runtime.GOARCH, GoVersion: runtime.Version()},
	}
	return builder, Recipe{
		Name: "hello", Programs: map[string]string{"hello": "."}, Aliases: map[string]string{"hi": "hello"},
		Variables: []string{"main.word=servus"},
	}
}

func TestBuildMakesOnceAndLinks(t *testing.T) {
	builder, recipe := hello(t)
	var group sync.WaitGroup
	fresh := make([]bool, 3)
	for i := range fresh {
		group.Go(func() {
			each := builder
			each.Output = &bytes.Buffer{}
			built, err := each.Build(context.Background(), recipe)
			if err != nil {
				t.Error(err)
			}
			fresh[i] = built.Fresh
		})
	}
	group.Wait()
	count := 0
	for _, made := range fresh {
		if made {
			count++
		}
	}
	if count != 1 {
		t.Errorf("%d of 3 runs built, want 1", count)
	}
	built, err := builder.Build(context.Background(), recipe)
	if err != nil {
		t.Fatal(err)
	}
	links := t.TempDir()
	for range 2 {
		if err := builder.Link(recipe, built, links); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"hello", "hi"} {
		said, err := exec.Command(filepath.Join(links, name)).Output()
		if err != nil || string(said) != "servus" {
			t.Errorf("%s says %q, %v, want servus", name, said, err)
		}
	}
}

func TestABuildHoldsFilesOfModules(t *testing.T) {
	builder, recipe := hello(t)
	recipe.Files = map[string]Source{"greeting.txt": {Module: "hello", Path: "words/greeting.txt"}}
	write(t, filepath.Join(builder.Source, "hello", "words", "greeting.txt"), "good day")
	built, err := builder.Build(context.Background(), recipe)
	if err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(built.Path("greeting.txt")); err != nil || string(content) != "good day" {
		t.Errorf("greeting.txt = %q, %v", content, err)
	}
	recipe.Files = map[string]Source{"other.txt": {Module: "hello", Path: "words/other.txt"}}
	if _, err := builder.Build(context.Background(), recipe); err == nil || !strings.Contains(err.Error(), "words/other.txt") {
		t.Errorf("Build with a file that is not there = %v", err)
	}
}

func TestAFailedBuildLeavesNothingThatLooksFinished(t *testing.T) {
	builder, recipe := hello(t)
	write(t, filepath.Join(builder.Source, "hello", "main.go"), "package main\n\nfunc main() { undefined() }\n")
	_, err := builder.Build(context.Background(), recipe)
	if err == nil || !strings.Contains(err.Error(), "undefined") {
		t.Fatalf("Build = %v, want what the compiler said", err)
	}
	entries, err := os.ReadDir(builder.Cache)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			t.Errorf("a failed build left %s", entry.Name())
		}
	}
}

func TestKeyChangesWithWhateverDecidesTheBuild(t *testing.T) {
	changes := map[string]func(*Builder, *Recipe){
		"the source":   func(b *Builder, _ *Recipe) { write(t, filepath.Join(b.Source, "hello", "more.go"), "package main\n") },
		"the versions": func(b *Builder, _ *Recipe) { write(t, filepath.Join(b.Source, "hello", "go.sum"), "x\n") },
		"the platform": func(b *Builder, _ *Recipe) { b.Target.Arch = "riscv64" },
		"the compiler": func(b *Builder, _ *Recipe) { b.Target.GoVersion = "go9" },
		"a file":       func(_ *Builder, r *Recipe) { r.Files = map[string]Source{"x": {}} },
		"the tags":     func(_ *Builder, r *Recipe) { r.Tags = []string{"x"} },
		"a variable":   func(_ *Builder, r *Recipe) { r.Variables = []string{"main.word=hello"} },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			builder, recipe := hello(t)
			before, err := builder.Key(recipe)
			if err != nil {
				t.Fatal(err)
			}
			change(&builder, &recipe)
			after, err := builder.Key(recipe)
			if err != nil {
				t.Fatal(err)
			}
			if before == after {
				t.Error("the key is the same")
			}
		})
	}
	builder, recipe := hello(t)
	before, err := builder.Key(recipe)
	if err != nil {
		t.Fatal(err)
	}
	recipe.About = "other words"
	if after, err := builder.Key(recipe); err != nil || after != before {
		t.Errorf("words for people change the key: %s to %s, %v", before, after, err)
	}
}

func TestEveryRecipeHasAModuleAndPrograms(t *testing.T) {
	for _, recipe := range All() {
		if _, err := os.Stat(filepath.Join("..", recipe.Name, "go.mod")); err != nil {
			t.Errorf("recipe %s: %v", recipe.Name, err)
		}
		if len(recipe.Programs) == 0 || recipe.About == "" {
			t.Errorf("recipe %s says too little: %+v", recipe.Name, recipe)
		}
		for alias, program := range recipe.Aliases {
			if recipe.Programs[program] == "" {
				t.Errorf("recipe %s: alias %s of unknown program %s", recipe.Name, alias, program)
			}
		}
	}
	if _, err := Find("no-such-tool"); err == nil || !strings.Contains(err.Error(), "helm") {
		t.Errorf("Find of an unknown tool = %v, want the known ones", err)
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
