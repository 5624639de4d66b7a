package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// commandMetric is what every service counts its Ceph commands with.
const commandMetric = "rook_ceph_command_duration_seconds"

// cliRuns is how often the ceph program is started to time it.
const cliRuns = 10

// commands is what services have sent to Ceph since they began.
type commands struct {
	// sent counts all commands.
	sent uint64
	// reads and readTime are about "status" alone.
	reads    uint64
	readTime time.Duration
}

// sentCommands adds up the metrics of all pods of the services.
func (b *bench) sentCommands(ctx context.Context) (commands, error) {
	pods := corev1.PodList{}
	if err := b.kube.List(ctx, &pods, client.InNamespace(namespace), ofServices); err != nil {
		return commands{}, fmt.Errorf("list pods: %w", err)
	}
	total := commands{}
	for _, pod := range pods.Items {
		body, err := b.set.CoreV1().RESTClient().Get().Namespace(namespace).Resource("pods").
			Name(fmt.Sprintf("http:%s:%d", pod.Name, metricsPort(&pod))).SubResource("proxy").Suffix("metrics").DoRaw(ctx)
		if err != nil {
			return commands{}, fmt.Errorf("read metrics of %s: %w", pod.Name, err)
		}
		one, err := parseCommands(bytes.NewReader(body))
		if err != nil {
			return commands{}, fmt.Errorf("parse metrics of %s: %w", pod.Name, err)
		}
		total.sent += one.sent
		total.reads += one.reads
		total.readTime += one.readTime
	}
	return total, nil
}

// metricsPort is the port that the pod names for its metrics, 0 for none.
func metricsPort(pod *corev1.Pod) int32 {
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name == "metrics" {
				return port.ContainerPort
			}
		}
	}
	return 0
}

// parseCommands reads one page of metrics. A service that sends no commands has
// none of this metric.
func parseCommands(page io.Reader) (commands, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(page)
	if err != nil {
		return commands{}, err
	}
	var found commands
	for _, metric := range families[commandMetric].GetMetric() {
		count := metric.GetHistogram().GetSampleCount()
		found.sent += count
		for _, label := range metric.GetLabel() {
			if label.GetName() == "command" && label.GetValue() == "status" {
				found.reads += count
				found.readTime += time.Duration(metric.GetHistogram().GetSampleSum() * float64(time.Second))
			}
		}
	}
	return found, nil
}

// addReads reports what a read takes through librados, as the services do it, and
// through the ceph program in the toolbox.
func (b *bench) addReads(ctx context.Context, all commands) error {
	if all.reads == 0 {
		return fmt.Errorf("no service has read the status of Ceph")
	}
	mean := all.readTime / time.Duration(all.reads)
	b.figures.add("Ceph status through librados, mean", "", "%.2f ms", milliseconds(mean))
	program, err := b.timeProgram(ctx)
	if err != nil {
		return err
	}
	b.figures.add("Ceph status through the ceph program, mean", "", "%.0f ms", milliseconds(program))
	b.figures.add("Ceph program compared with librados", "", "%.0f times", float64(program)/float64(mean))
	return nil
}

// timeProgram is timed inside the toolbox, so that the way there does not count.
func (b *bench) timeProgram(ctx context.Context) (time.Duration, error) {
	pods := corev1.PodList{}
	if err := b.kube.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels{"app": "rook-ceph-tools"}); err != nil {
		return 0, fmt.Errorf("list pods of the toolbox: %w", err)
	}
	if len(pods.Items) == 0 {
		return 0, fmt.Errorf("the toolbox does not run")
	}
	script := fmt.Sprintf("from=$EPOCHREALTIME; for i in $(seq %d); do ceph status --format json >/dev/null; done; echo $from $EPOCHREALTIME", cliRuns)
	request := b.set.CoreV1().RESTClient().Post().Namespace(namespace).Resource("pods").Name(pods.Items[0].Name).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Command: []string{"bash", "-c", script}, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	executor, err := remotecommand.NewWebSocketExecutor(b.config, "GET", request.URL().String())
	if err != nil {
		return 0, fmt.Errorf("reach the toolbox: %w", err)
	}
	var out, words bytes.Buffer
	if err := executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &out, Stderr: &words}); err != nil {
		return 0, fmt.Errorf("run ceph in the toolbox: %w: %s", err, words.String())
	}
	return parseSpan(out.String())
}

// parseSpan reads two times in seconds and returns the part of one run.
func parseSpan(line string) (time.Duration, error) {
	fields := strings.Fields(line)
	if len(fields) != 2 {
		return 0, fmt.Errorf("read times of the toolbox: %q is not two numbers", line)
	}
	from, errFrom := strconv.ParseFloat(fields[0], 64)
	to, errTo := strconv.ParseFloat(fields[1], 64)
	if errFrom != nil || errTo != nil {
		return 0, fmt.Errorf("read times of the toolbox: %q is not two numbers", line)
	}
	return time.Duration((to - from) / cliRuns * float64(time.Second)), nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
