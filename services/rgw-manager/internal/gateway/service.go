package gateway

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	discoveryv1ac "k8s.io/client-go/applyconfigurations/discovery/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// ServiceOf is the Service in front of the gateways of a store. That of gateways
// that run elsewhere selects no pods; Slices says where they are.
func ServiceOf(cluster *api.CephCluster, store *api.CephObjectStore) *corev1ac.ServiceApplyConfiguration {
	insecure, secure := Ports(cluster, store)
	external := store.Spec.Gateway.External()
	if external {
		insecure, secure = store.Spec.Gateway.Port, store.Spec.Gateway.SecurePort
	}
	spec := corev1ac.ServiceSpec()
	if insecure > 0 {
		spec.WithPorts(servicePort("http", store.Spec.Gateway.Port, insecure))
	}
	if secure > 0 {
		spec.WithPorts(servicePort("https", store.Spec.Gateway.SecurePort, secure))
	}
	if !external {
		spec.WithSelector(Selector(store))
	}
	service := corev1ac.Service(names.RGW(store.Name), store.Namespace).WithLabels(Labels(store, cluster.Name)).WithSpec(spec)
	if own := store.Spec.Gateway.Service; own != nil && len(own.Annotations) > 0 {
		service.WithAnnotations(own.Annotations)
	}
	return service
}

func servicePort(name string, at, target int32) *corev1ac.ServicePortApplyConfiguration {
	return corev1ac.ServicePort().WithName(name).WithPort(at).WithTargetPort(intstr.FromInt32(target)).WithProtocol(corev1.ProtocolTCP)
}

// outside is the host name of an external gateway; empty if only an address is
// given, which the Service leads to.
func outside(endpoint api.EndpointAddress) string {
	if endpoint.Hostname != "" {
		return endpoint.Hostname
	}
	if _, err := netip.ParseAddr(endpoint.IP); err != nil {
		return endpoint.IP
	}
	return ""
}

// Slices say where external gateways are, one for each family of addresses.
func Slices(cluster *api.CephCluster, store *api.CephObjectStore) []*discoveryv1ac.EndpointSliceApplyConfiguration {
	byFamily := map[discoveryv1.AddressType][]string{}
	for _, endpoint := range store.Spec.Gateway.ExternalRGWEndpoints {
		addr, err := netip.ParseAddr(endpoint.IP)
		switch {
		case err != nil:
		case addr.Is4():
			byFamily[discoveryv1.AddressTypeIPv4] = append(byFamily[discoveryv1.AddressTypeIPv4], endpoint.IP)
		default:
			byFamily[discoveryv1.AddressTypeIPv6] = append(byFamily[discoveryv1.AddressTypeIPv6], endpoint.IP)
		}
	}
	var list []*discoveryv1ac.EndpointSliceApplyConfiguration
	for _, family := range []discoveryv1.AddressType{discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6} {
		if len(byFamily[family]) > 0 {
			list = append(list, slice(cluster, store, family, byFamily[family]))
		}
	}
	return list
}

func slice(cluster *api.CephCluster, store *api.CephObjectStore, family discoveryv1.AddressType, addresses []string) *discoveryv1ac.EndpointSliceApplyConfiguration {
	suffix := map[discoveryv1.AddressType]string{discoveryv1.AddressTypeIPv4: "-ipv4", discoveryv1.AddressTypeIPv6: "-ipv6"}[family]
	labels := Labels(store, cluster.Name)
	labels[discoveryv1.LabelServiceName] = names.RGW(store.Name)
	labels[discoveryv1.LabelManagedBy] = Service
	s := discoveryv1ac.EndpointSlice(names.RGW(store.Name)+suffix, store.Namespace).WithLabels(labels).WithAddressType(family)
	for _, address := range addresses {
		s.WithEndpoints(discoveryv1ac.Endpoint().WithAddresses(address).
			WithConditions(discoveryv1ac.EndpointConditions().WithReady(true)))
	}
	if number := store.Spec.Gateway.Port; number > 0 {
		s.WithPorts(slicePort("http", number))
	}
	if number := store.Spec.Gateway.SecurePort; number > 0 {
		s.WithPorts(slicePort("https", number))
	}
	return s
}

func slicePort(name string, number int32) *discoveryv1ac.EndpointPortApplyConfiguration {
	return discoveryv1ac.EndpointPort().WithName(name).WithPort(number).WithProtocol(corev1.ProtocolTCP)
}
