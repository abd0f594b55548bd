package endtoend

import (
	"sync"
	"testing"

	"github.com/goqat/goqat/data"
	"github.com/goqat/goqat/data/synth"
	"github.com/goqat/goqat/graph"
	"github.com/goqat/goqat/train"
	"github.com/goqat/goqat/zoo"
)

// The networks of the zoo in their published shapes, after an epoch on a few
// synthetic rows. What they predict means nothing; their integers are LiteRT's all
// the same.
var (
	zooNetworks    = zooOf(zoo.Networks())
	zooSimulations = simulationsOf(zooNetworks)
)

func TestZooIntegersEqualLiteRT(t *testing.T) {
	equalLiteRT(t, integerFilesOf(zooSimulations, graph.Int8))
}

func TestZooFloatsFollowLiteRT(t *testing.T) { followLiteRT(t, floatFilesOf(zooNetworks)) }

func TestZooSimulationPredictsIntegers(t *testing.T) { predictIntegers(t, zooSimulations) }

func TestZooSimulationPredictsDynamicRange(t *testing.T) { predictDynamicRange(t, zooNetworks) }

func zooOf(entries []zoo.Network) (list []*network) {
	for _, z := range entries {
		sets := sync.OnceValues(func() ([2]data.Dataset, error) { return zooRows(z) })
		n := &network{name: z.Name, layers: z.Layers(z.Outputs), input: z.Input, prepare: hasten}
		n.sets = func() (training, test data.Dataset, err error) {
			s, err := sets()
			return s[0], s[1], err
		}
		if z.Name == "autoencoder" {
			n.loss = train.MeanSquaredError{}
		}
		n.float = sync.OnceValues(func() (*graph.Graph, error) { return n.trained(1) })
		list = append(list, n)
	}
	return list
}

// hasten lets moving statistics follow those of a few batches: those of a new
// layer would leave deep activations next to nothing.
func hasten(g *graph.Graph) {
	for _, n := range g.Nodes {
		if op, ok := n.Op.(graph.BatchNorm); ok {
			op.Momentum = 0.5
			n.Op = op
		}
	}
}

// zooRows returns 128 rows to train on and 8 to compare, in an entry's shape:
// images of shapes, or points in clouds, which the autoencoder gives back.
func zooRows(z zoo.Network) (sets [2]data.Dataset, err error) {
	const training, all = 128, 136
	var ds data.Dataset
	classes := min(z.Outputs, 8)
	if s := z.Input; len(s) == 3 {
		ds, err = synth.Images{Rows: all, Height: s[0], Width: s[1], Channels: s[2], Classes: classes}.Make(1)
	} else {
		ds, err = synth.Blobs{Rows: all, Features: graph.Elements(s), Classes: classes, Spread: 0.3}.Make(1)
	}
	if err != nil {
		return sets, err
	}
	x, y, err := rows(ds)
	if err != nil {
		return sets, err
	}
	size := graph.Elements(z.Input)
	for i, part := range [2]struct{ from, to int }{{0, training}, {training, all}} {
		sets[i], err = data.NewMemory(data.Arrays{InputShape: z.Input, X: x[part.from*size : part.to*size], Y: y[part.from:part.to], Classes: classes})
		if err != nil {
			return sets, err
		}
		if z.Name == "autoencoder" {
			sets[i] = data.Reconstruct(sets[i])
		}
	}
	return sets, nil
}
