// Package podstate says in one sentence why a pod does not run. It is pure.
package podstate

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Trouble is why a pod does not run.
type Trouble struct {
	Kind Kind
	// Message is a sentence that reads the same as long as the trouble lasts.
	Message string
}

// Kind is what kind of trouble it is.
type Kind string

// The kinds of trouble; None while a pod just starts or runs.
const (
	None          Kind = ""
	Image         Kind = "Image"
	Unschedulable Kind = "Unschedulable"
	Crashing      Kind = "Crashing"
	Config        Kind = "Config"
)

// maxTail bounds the part of a container's last words that is repeated.
const maxTail = 300

// Of looks at the pods of one daemon and returns the first trouble found.
func Of(pods []corev1.Pod) Trouble {
	for i := range pods {
		if pods[i].DeletionTimestamp != nil {
			continue
		}
		if trouble := of(&pods[i]); trouble.Kind != None {
			return trouble
		}
	}
	return Trouble{}
}

// Ready tells whether one of the pods is ready and stays.
func Ready(pods []corev1.Pod) bool {
	for i := range pods {
		if pods[i].DeletionTimestamp != nil {
			continue
		}
		for _, condition := range pods[i].Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				return true
			}
		}
	}
	return false
}

// Running tells whether the main containers of one of the pods were started.
func Running(pods []corev1.Pod) bool {
	for i := range pods {
		if pods[i].DeletionTimestamp == nil && pods[i].Status.Phase == corev1.PodRunning {
			return true
		}
	}
	return false
}

func of(pod *corev1.Pod) Trouble {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse &&
			condition.Reason == corev1.PodReasonUnschedulable {
			return Trouble{Unschedulable, condition.Message}
		}
	}
	statuses := append(append([]corev1.ContainerStatus{}, pod.Status.InitContainerStatuses...), pod.Status.ContainerStatuses...)
	for i := range statuses {
		if trouble := container(&statuses[i]); trouble.Kind != None {
			return trouble
		}
	}
	return Trouble{}
}

func container(status *corev1.ContainerStatus) Trouble {
	waiting := status.State.Waiting
	if waiting == nil {
		if ended := status.State.Terminated; ended != nil && ended.ExitCode != 0 {
			return crash(status, ended)
		}
		return Trouble{}
	}
	switch waiting.Reason {
	case "ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName", "RegistryUnavailable":
		return Trouble{Image, fmt.Sprintf("image %q cannot be pulled; correct the name or make the image available", status.Image)}
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		return Trouble{Config, fmt.Sprintf("container %s cannot be created: %s", status.Name, line(waiting.Message))}
	case "CrashLoopBackOff":
		if status.LastTerminationState.Terminated != nil {
			return crash(status, status.LastTerminationState.Terminated)
		}
		return Trouble{Crashing, fmt.Sprintf("container %s keeps failing", status.Name)}
	}
	return Trouble{}
}

func crash(status *corev1.ContainerStatus, ended *corev1.ContainerStateTerminated) Trouble {
	message := fmt.Sprintf("container %s failed with exit code %d", status.Name, ended.ExitCode)
	if words := line(ended.Message); words != "" {
		message += ": " + words
	}
	return Trouble{Crashing, message}
}

// line returns the last non-empty line, without what changes from run to run
// at its end being cut in the middle of a rune.
func line(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if runes := []rune(last); len(runes) > maxTail {
		last = string(runes[:maxTail]) + "…"
	}
	return last
}
